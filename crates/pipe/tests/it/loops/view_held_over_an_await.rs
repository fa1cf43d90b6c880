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

fn sent<T: Send>(future: T) -> T {
    future
}

#[test]
fn a_view_is_held_over_an_await() {
    let mut reader = crate::common::holding(b"bytes");
    crate::common::now(sent(forward(&mut reader))).unwrap();
    assert_eq!((reader.stats().peak, reader.stats().buffered), (5, 0));
}
