//! [`duplex`]: two pipes, one for each direction.

use crate::{Options, Reader, Writer, pipe};

/// One side of two pipes that go opposite ways: see [`duplex`].
///
/// The halves are independent: take them apart to use them in two places, and drop one to close its
/// direction alone. With features it has the [traits](crate#adapters) of both.
#[derive(Debug)]
pub struct Duplex {
    /// What the other side writes.
    pub reader: Reader,
    /// What the other side reads.
    pub writer: Writer,
}

/// Two sides, each of which reads what the other writes: a connection within the process. Both
/// directions have the same options.
///
/// ```
/// use aqueduct_pipe::{Options, Read, duplex};
///
/// let (mut client, mut server) = duplex(Options::default());
/// client.writer.write(b"a question")?;
/// client.finish(); // and no more questions; the answer may still come
///
/// let Read::Eof(question) = server.reader.read_blocking()? else { panic!("that was all") };
/// server.writer.push_sequence(question.seq().to_sequence())?;
/// server.finish();
/// assert_eq!(client.reader.read_blocking()?.into_view().seq(), b"a question");
/// # Ok::<(), aqueduct_pipe::PipeError>(())
/// ```
#[must_use]
pub fn duplex(options: Options) -> (Duplex, Duplex) {
    let (there, reader) = pipe(options.clone());
    let (back, other) = pipe(options);
    (Duplex { reader: other, writer: there }, Duplex { reader, writer: back })
}

impl Duplex {
    /// Half close: flushes what is written and ends this direction, as [`Writer::finish`]. The other
    /// direction goes on. What is written later is refused as
    /// [`Finished`](crate::PipeErrorKind::Finished).
    pub fn finish(&mut self) {
        self.writer.finish_in_place();
    }
}
