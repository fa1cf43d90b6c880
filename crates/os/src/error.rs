//! [`TransferError`]: what ended a transfer, and how far it had come.

use crate::Call;
use std::{error::Error, fmt, io};

/// A transfer ended before its end: which call, where, after how many bytes, and why.
///
/// What was done is done: exactly [`done`](Self::done) bytes have arrived, and the transfer can go on
/// behind them if its user thinks that it may.
#[derive(Debug)]
pub struct TransferError {
    pub(crate) call: Call,
    pub(crate) offset: Option<u64>,
    pub(crate) done: u64,
    pub(crate) error: io::Error,
}

impl TransferError {
    /// The call that failed, or that found the end.
    #[must_use]
    pub fn call(&self) -> Call {
        self.call
    }

    /// The position in the source of the first byte that has not arrived; none where the source has no
    /// positions, or where its own was used.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }

    /// Bytes of this transfer that have arrived.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// The system's error; of the kind `UnexpectedEof` where the source ended early.
    #[must_use]
    pub fn error(&self) -> &io::Error {
        &self.error
    }
}

impl fmt::Display for TransferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, offset, done, error } = self;
        match offset {
            Some(offset) => write!(f, "{call} at offset {offset}, after {done} bytes: {error}"),
            None => write!(f, "{call} after {done} bytes: {error}"),
        }
    }
}

impl Error for TransferError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl From<TransferError> for io::Error {
    /// Of the kind of the system's error.
    fn from(ended: TransferError) -> Self {
        Self::new(ended.error.kind(), ended)
    }
}
