//! Ours.

use aqueduct::{Flush, Options, Reader, View, Writer, pipe};

use super::{Pipe, Waits};
use crate::measure::OURS;

/// Ours, as it comes.
#[derive(Debug)]
pub struct Ours;

impl Pipe for Ours {
    const KEY: &'static str = OURS;
    const NOTE: &'static str = "pauses at 256 KiB";
    type Writer = Writer;
    type Reader = Reader;

    fn new(_room: usize) -> (Writer, Reader) {
        pipe(Options::default())
    }

    #[inline(always)]
    fn put(writer: &mut Writer, bytes: &[u8]) -> bool {
        writer.write(bytes).is_ok() && matches!(writer.try_flush(), Ok(Some(Flush::Done)))
    }

    #[inline(always)]
    fn drain(reader: &mut Reader, see: impl FnMut(&[u8])) -> usize {
        match reader.try_read() {
            Ok(Some(read)) => show(read.into_view(), see),
            _ => 0,
        }
    }
}

impl Waits for Ours {
    #[inline(always)]
    async fn send(writer: &mut Writer, bytes: &[u8]) -> bool {
        writer.write(bytes).is_ok() && writer.flush().await.is_ok()
    }

    #[inline(always)]
    async fn receive(reader: &mut Reader, see: impl FnMut(&[u8]) + Send) -> usize {
        match reader.read().await {
            Ok(read) => show(read.into_view(), see),
            Err(_) => 0,
        }
    }

    fn end(writer: Writer) {
        writer.finish();
    }
}

#[inline(always)]
fn show(view: View<'_>, see: impl FnMut(&[u8])) -> usize {
    view.seq().segments().for_each(see);
    let count = view.len();
    view.consume(count);
    count
}
