//! A pipe's errors as those of `std::io`.

use crate::{PipeError, PipeErrorKind};
use std::io::{self, ErrorKind};

impl From<PipeError> for io::Error {
    /// The pipe's error is the source of the other, whose kind is:
    ///
    /// * `BrokenPipe` where the other half is gone or this one has finished. (The [reader's
    ///   traits](crate#adapters) say `UnexpectedEof` where the writer did not finish.)
    /// * that of the cause where the other half failed with an `io::Error`, else `Other`
    /// * `QuotaExceeded` at [`max_buffered`](crate::OptionsBuilder::max_buffered) and at the pool's hard
    ///   limit, `OutOfMemory` where memory is out
    /// * `Other` for an interrupt: who gets the kind `Interrupted` tries again without telling anybody
    fn from(refused: PipeError) -> Self {
        Self::new(kind(&refused), refused)
    }
}

fn kind(refused: &PipeError) -> ErrorKind {
    match refused.kind() {
        PipeErrorKind::Closed | PipeErrorKind::Finished => ErrorKind::BrokenPipe,
        PipeErrorKind::Failed(cause) => {
            cause.downcast_ref().map_or(ErrorKind::Other, io::Error::kind)
        }
        PipeErrorKind::Full { .. } | PipeErrorKind::Pool(_) => ErrorKind::QuotaExceeded,
        PipeErrorKind::Memory(_) => ErrorKind::OutOfMemory,
        PipeErrorKind::Interrupted => ErrorKind::Other,
    }
}
