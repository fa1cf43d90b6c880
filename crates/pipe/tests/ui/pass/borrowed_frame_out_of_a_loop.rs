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
        let view = match reader.read().await? {
            Read::Eof(_) => return Ok(None),
            Read::Data(view) | Read::Cancelled(view) => view,
        };
        match view.seq().find(b'\n') {
            Some(end) => return Ok(Some(Frame { view, len: end + 1 })),
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

fn main() {
    let _ = all;
}
