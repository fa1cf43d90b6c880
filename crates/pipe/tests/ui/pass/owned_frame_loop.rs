//! Frames, taken out and kept.
use aqueduct_pipe::{PipeError, Read, Reader};
use aqueduct_sequence::Sequence;

async fn frames(mut reader: Reader) -> Result<Vec<Sequence>, PipeError> {
    let mut frames = Vec::new();
    loop {
        match reader.read_at_least(4).await? {
            Read::Eof(_) => return Ok(frames),
            Read::Data(mut view) | Read::Cancelled(mut view) => {
                while view.len() >= 4 {
                    frames.push(view.take(4));
                }
                view.need_more(0);
            }
        }
    }
}

fn main() {
    let _ = frames;
}
