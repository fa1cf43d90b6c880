//! Lines, looked at where they are.
use aqueduct_pipe::{PipeError, Read, Reader};

async fn lines(reader: &mut Reader) -> Result<usize, PipeError> {
    let mut count = 0;
    loop {
        match reader.read().await? {
            Read::Data(view) => {
                let Some(end) = view.seq().find(b'\n') else {
                    view.need_more(0);
                    continue;
                };
                count += usize::from(view.seq().slice(..end).len() > 0);
                view.consume(end + 1);
            }
            Read::Eof(_) => return Ok(count),
            Read::Cancelled(_) => {}
        }
    }
}

fn main() {
    let _ = lines;
}
