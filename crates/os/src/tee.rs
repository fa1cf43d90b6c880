//! [`tee`]: bytes of a pipe for a second reader.

use crate::{
    Call, Step, TransferError,
    sys::calls::{self, MOST},
};
#[cfg(feature = "tokio")]
use crate::{Readiness, ready};
use std::{
    io::{self, ErrorKind},
    os::fd::AsFd,
};

/// Gives the first bytes of a pipe, at most `len` of them, to another pipe too, and leaves them where they
/// are. Waits until there are some, and room for some. Gives how many; zero at the end of the source.
///
/// It is one call: since nothing is consumed, a second begins again with the first byte, so that who
/// wants more consumes first what was given. For the same reason nothing stands in for it where the
/// system has none.
///
/// # Errors
///
/// The system's; `EINVAL` where one is no pipe, or both are the same.
pub fn tee(from: impl AsFd, to: impl AsFd, len: usize) -> Result<usize, TransferError> {
    let (from, to) = (from.as_fd(), to.as_fd());
    loop {
        match step(from, to, len)? {
            Step::End => return Ok(0),
            Step::Moved(count @ 1..) => return Ok(count),
            step => calls::wait(step, from, to).map_err(|error| failed(Call::Poll, error))?,
        }
    }
}

/// As [`tee`], but waits as tokio's tasks do. Dropping the future undoes nothing: what it gave, it said.
///
/// # Errors
///
/// As [`tee`].
#[cfg(feature = "tokio")]
pub async fn tee_async(
    from: &impl Readiness,
    to: &impl Readiness,
    len: usize,
) -> Result<usize, TransferError> {
    loop {
        match ready::try_both(from, to, || step(from, to, len))? {
            Step::End => return Ok(0),
            Step::Moved(count @ 1..) => return Ok(count),
            step => {
                ready::wait(step, from, to).await.map_err(|error| failed(Call::Poll, error))?;
            }
        }
    }
}

fn step(from: impl AsFd, to: impl AsFd, len: usize) -> Result<Step, TransferError> {
    let (from, to) = (from.as_fd(), to.as_fd());
    match calls::tee(from, to, len.min(MOST)) {
        Ok(0) => Ok(Step::End),
        Ok(count) => Ok(Step::Moved(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(calls::unready(from, to)),
        Err(error) => Err(failed(Call::Tee, error)),
    }
}

fn failed(call: Call, error: io::Error) -> TransferError {
    TransferError { call, offset: None, done: 0, error }
}
