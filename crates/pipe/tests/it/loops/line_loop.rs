//! Lines, looked at where they are.
use aqueduct_pipe::{PipeError, Read, Reader};

async fn lines(reader: &mut Reader) -> Result<usize, PipeError> {
    let mut count = 0;
    loop {
        let (view, last) = match reader.read().await? {
            Read::Eof(view) => (view, true),
            Read::Data(view) | Read::Cancelled(view) => (view, false),
        };
        let Some(end) = view.seq().find(b'\n') else {
            if last {
                return Ok(count);
            }
            view.need_more(0);
            continue;
        };
        count += usize::from(!view.seq().slice(..end).is_empty());
        view.consume(end + 1);
    }
}

#[test]
fn a_loop_over_lines() {
    let mut reader = crate::common::holding(b"one\n\nthree\n");
    assert_eq!(crate::common::now(lines(&mut reader)).unwrap(), 2);
}
