//! What this kernel has.

use super::Ring;
use crate::sys::uring::{Core, unsupported};
use io_uring::opcode;
use std::io;

impl Ring {
    /// Whether there is an io_uring here that a [`Ring`] can be made of. Makes one, and closes it.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new): of kind `Unsupported`, with a text that says what is missing.
    pub fn probe() -> io::Result<()> {
        open(1).map(drop)
    }
}

/// What every ring needs.
const NEEDED: [(u8, &str); 7] = [
    (opcode::Read::CODE, "READ"),
    (opcode::ReadFixed::CODE, "READ_FIXED"),
    (opcode::Writev::CODE, "WRITEV"),
    (opcode::Recv::CODE, "RECV"),
    (opcode::Send::CODE, "SEND"),
    (opcode::SendMsg::CODE, "SENDMSG"),
    (opcode::AsyncCancel::CODE, "ASYNC_CANCEL"),
];

pub(super) fn open(entries: u32) -> io::Result<Core> {
    let core = Core::new(entries).map_err(explained)?;
    if !core.keeps_completions() {
        return Err(unsupported("this kernel drops completions for which there is no room"));
    }
    match NEEDED.iter().find(|(code, _)| !core.knows(*code)) {
        Some((_, name)) => Err(unsupported(&format!("this kernel has no {name}"))),
        None => Ok(core),
    }
}

/// What keeps a process from having a ring at all.
fn explained(refused: io::Error) -> io::Error {
    match refused.raw_os_error() {
        Some(libc::ENOSYS) => unsupported("this kernel has none"),
        Some(libc::EPERM | libc::EACCES) => unsupported("this process may not use it"),
        _ => refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        for (number, said) in [(libc::ENOSYS, "kernel has none"), (libc::EPERM, "may not use it")] {
            let told = explained(io::Error::from_raw_os_error(number));
            assert_eq!(told.kind(), io::ErrorKind::Unsupported);
            assert!(told.to_string().contains(said));
        }
        let other = explained(io::Error::from_raw_os_error(libc::EMFILE));
        assert_eq!(other.raw_os_error(), Some(libc::EMFILE));
    }
}
