//! A view held over an await, in a future that may change threads.
use aqueduct_pipe::{PipeError, Reader};

async fn send(_bytes: &[u8]) {}

async fn forward(reader: &mut Reader) -> Result<(), PipeError> {
    let view = reader.read().await?.into_view();
    for segment in view.seq().segments() {
        send(segment).await;
    }
    let len = view.len();
    view.consume(len);
    Ok(())
}

fn is_send<T: Send>(_: T) {}

fn main() {
    let _ = |reader: &mut Reader| is_send(forward(reader));
}
