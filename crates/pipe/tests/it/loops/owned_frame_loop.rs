//! Frames, taken out and kept.
use aqueduct_pipe::{PipeError, Read, Reader};
use aqueduct_sequence::Sequence;

async fn frames(mut reader: Reader) -> Result<Vec<Sequence>, PipeError> {
    let mut frames = Vec::new();
    loop {
        let (mut view, last) = match reader.read_at_least(4).await? {
            Read::Eof(view) => (view, true),
            Read::Data(view) | Read::Cancelled(view) => (view, false),
        };
        while view.len() >= 4 {
            frames.push(view.take(4));
        }
        if last {
            return Ok(frames);
        }
        view.need_more(0);
    }
}

#[test]
fn a_loop_over_frames_that_are_kept() {
    let reader = crate::common::holding(b"one.two.");
    let frames = crate::common::now(frames(reader)).unwrap();
    assert_eq!(frames, [&b"one."[..], b"two."]);
}
