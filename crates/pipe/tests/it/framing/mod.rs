//! Frames over a pipe.

mod cancel;
mod differential;
mod hostile;
mod limits;
pub mod machine;
mod reading;
mod writing;

use aqueduct_pipe::{FrameError, FramedReader, Framing, Options, Reader, Writer, pipe};
use aqueduct_sequence::Prefix;

fn be4(most: usize) -> Framing {
    Framing::prefixed(Prefix::U32Be, most).expect("a rule")
}

/// A pipe with these bytes in it, whose writer has finished.
fn full(bytes: &[u8]) -> Reader {
    let (mut writer, reader) = pipe(Options::default());
    writer.write(bytes).expect("there is room");
    writer.finish();
    reader
}

fn framed(reader: Reader, framing: Framing) -> FramedReader {
    FramedReader::new(reader, framing).expect("there is no limit")
}

fn flush(writer: &mut Writer) {
    writer.try_flush().expect("the reader is there");
}

/// All frames, flat, and the error at the end, if there is one.
fn all(reader: &mut FramedReader) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut frames = Vec::new();
    loop {
        match reader.next_blocking() {
            Ok(Some(frame)) => frames.push(frame.as_ref().to_contiguous().into_owned()),
            Ok(None) => return (frames, None),
            Err(error) => return (frames, Some(error)),
        }
    }
}
