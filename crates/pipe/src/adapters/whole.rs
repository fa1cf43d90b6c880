//! A reader of bytes that are all there already.

use crate::{Options, Reader, pipe};
use aqueduct_sequence::Sequence;

impl From<Sequence> for Reader {
    /// A reader whose writer has written this sequence and finished, so that what reads a pipe reads
    /// bytes from elsewhere. It never waits, and copies nothing; linear in the segments.
    ///
    /// ```
    /// use aqueduct_pipe::{Read, Reader};
    /// use aqueduct_sequence::Sequence;
    ///
    /// let mut reader = Reader::from(Sequence::from(&b"all that there is"[..]));
    /// let Ok(Read::Eof(view)) = reader.read_blocking() else { panic!("the writer finished") };
    /// assert_eq!(view.seq(), b"all that there is");
    /// ```
    fn from(sequence: Sequence) -> Self {
        let (mut writer, reader) = pipe(Options::default());
        for slice in sequence {
            // Past `push`, which copies what is short.
            let len = slice.len();
            writer.output.push(slice, len);
        }
        writer.finish();
        reader
    }
}
