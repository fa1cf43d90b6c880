//! A frame that is lent to the caller, out of a loop.
use aqueduct_pipe::{PipeError, Read, Reader, View};

struct Frame<'a> {
    view: View<'a>,
    len: usize,
}

impl<'a> Frame<'a> {
    fn done(self) -> &'a mut Reader {
        self.view.consume(self.len)
    }
}

async fn frame(mut reader: &mut Reader) -> Result<Option<Frame<'_>>, PipeError> {
    loop {
        let (view, last) = match reader.read().await? {
            Read::Eof(view) => (view, true),
            Read::Data(view) | Read::Cancelled(view) => (view, false),
        };
        match view.seq().find(b'\n') {
            Some(end) => return Ok(Some(Frame { view, len: end + 1 })),
            None if last => return Ok(None),
            None => reader = view.need_more(0),
        }
    }
}

async fn all(reader: &mut Reader) -> Result<usize, PipeError> {
    let mut count = 0;
    while let Some(frame) = frame(reader).await? {
        count += frame.len;
        frame.done();
    }
    Ok(count)
}

#[test]
fn a_borrowed_frame_is_returned_out_of_a_loop() {
    let mut reader = crate::common::holding(b"one\ntwo\nthree\n");
    assert_eq!(crate::common::now(all(&mut reader)).unwrap(), 14);
}
