//! The calls behind `MSG_ZEROCOPY`: asking for it, sending with it, hearing what became of it.
//!
//! rustix has the sending; the option and the error queue it has not. Invariants:
//!
//! 1. What the kernel is given a pointer to is a local of the calling function, as long as is said
//!    beside it, and the kernel keeps no pointer when the call is over.
//! 2. All zeros is a value of `msghdr`: numbers and pointers that may be null.
//! 3. What the kernel wrote is read as bytes, within the length that it gave and the buffer has, and
//!    nothing in it is believed that was not looked at.
//!
//! That a sent block stays as it is until the kernel is done with it is no matter of memory safety: the
//! kernel holds pages, not addresses. It is the [sender's](crate::ZeroCopySender) invariant.

use super::{Call, attempt};
use aqueduct_sequence::SequenceRef;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use std::{
    ffi::c_int,
    io::{self, ErrorKind, IoSlice},
    mem,
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
};

/// Pieces that one call sends: more than the 17 that fit into one packet's descriptor, at 1 KiB of
/// stack.
pub(crate) const PIECES: usize = 64;

/// Room for what the queue says of one message: the extended error and an address, 64 bytes with IPv6,
/// and as much again for what other options add.
const CONTROL: usize = 128;

// The kernel's names, which libc lacks.
const SO_EE_ORIGIN_ZEROCOPY: u8 = 5;
const SO_EE_CODE_ZEROCOPY_COPIED: u8 = 1;

/// That the kernel is done with the calls of these numbers, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// Whether it has copied bytes of them after all.
    pub(crate) copied: bool,
}

/// Whether the socket sends with `MSG_ZEROCOPY` where that is asked for.
pub(crate) fn is_enabled(socket: BorrowedFd<'_>) -> io::Result<bool> {
    let mut value: c_int = 0;
    #[allow(clippy::cast_possible_truncation, reason = "four")]
    let mut len = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: invariant 1: an int and its length.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ZEROCOPY,
            ptr::from_mut(&mut value).cast(),
            &mut len,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(value != 0) }
}

/// Lets the socket send with `MSG_ZEROCOPY` where that is asked for.
pub(crate) fn enable(socket: BorrowedFd<'_>) -> io::Result<()> {
    let value: c_int = 1;
    #[allow(clippy::cast_possible_truncation, reason = "four")]
    let len = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: invariant 1: an int and its length.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ZEROCOPY,
            ptr::from_ref(&value).cast(),
            len,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Sends the first [`PIECES`] pieces of `data`, or some of their bytes, and says how many those were.
/// With `zero_copy` a call that succeeds takes the socket's next number.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    data: SequenceRef<'_>,
    zero_copy: bool,
    wait: bool,
) -> io::Result<usize> {
    let mut flags = SendFlags::NOSIGNAL;
    flags.set(SendFlags::DONTWAIT, !wait);
    flags.set(SendFlags::from_bits_retain(libc::MSG_ZEROCOPY.cast_unsigned()), zero_copy);
    let call = if zero_copy { Call::SendZeroCopy } else { Call::Writev };
    attempt(call, data.len(), |most| {
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let count = data.slice(..most).fill_io_slices(&mut pieces);
        let mut control = SendAncillaryBuffer::default();
        Ok(sendmsg(socket, &pieces[..count], &mut control, flags)?)
    })
}

/// Takes the next notification off the socket's error queue; none when there is none now. What else is
/// on the queue is dropped.
pub(crate) fn next_notification(socket: BorrowedFd<'_>) -> io::Result<Option<Notification>> {
    let mut control = [0; CONTROL];
    loop {
        match attempt(Call::ErrorQueue, CONTROL, |_| receive(socket, &mut control)) {
            Ok(len) => {
                if let Some(notification) = parse(&control[..len.min(CONTROL)]) {
                    return Ok(Some(notification));
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// One message of the error queue: what was said beside it, and how long that is.
fn receive(socket: BorrowedFd<'_>, control: &mut [u8; CONTROL]) -> io::Result<usize> {
    // SAFETY: invariant 2: a `msghdr`, of which zeros are a value.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = CONTROL as _;
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: invariant 1: a message without a buffer for bytes, with `control` and its length.
    let result = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, flags) };
    #[allow(clippy::unnecessary_cast, reason = "its type differs between C libraries")]
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(message.msg_controllen as usize) }
}

/// The notification among control messages, each a length, a level, a type and a body, padded to words
/// (invariant 3).
fn parse(mut control: &[u8]) -> Option<Notification> {
    const WORD: usize = size_of::<usize>();
    loop {
        let (len, rest) = control.split_first_chunk::<WORD>()?;
        let (level, rest) = rest.split_first_chunk::<4>()?;
        let (kind, _) = rest.split_first_chunk::<4>()?;
        let len = usize::from_ne_bytes(*len);
        let body = control.get(WORD + 8..len)?;
        match (c_int::from_ne_bytes(*level), c_int::from_ne_bytes(*kind)) {
            (libc::SOL_IP, libc::IP_RECVERR) | (libc::SOL_IPV6, libc::IPV6_RECVERR) => {
                return parse_error(body);
            }
            _ => control = control.get(len.checked_next_multiple_of(WORD)?..)?,
        }
    }
}

/// A `sock_extended_err`: an error number, four bytes that say what it is, two numbers.
fn parse_error(body: &[u8]) -> Option<Notification> {
    let (error, rest) = body.split_first_chunk::<4>()?;
    let (&[origin, _, code, _], rest) = rest.split_first_chunk::<4>()?;
    let (first, rest) = rest.split_first_chunk::<4>()?;
    let (last, _) = rest.split_first_chunk::<4>()?;
    (*error == [0; 4] && origin == SO_EE_ORIGIN_ZEROCOPY).then(|| Notification {
        first: u32::from_ne_bytes(*first),
        last: u32::from_ne_bytes(*last),
        copied: code & SO_EE_CODE_ZEROCOPY_COPIED != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aqueduct_testkit::Random;
    use std::os::fd::AsFd;

    fn control(level: c_int, kind: c_int, body: &[u8]) -> Vec<u8> {
        let len = size_of::<usize>() + 8 + body.len();
        let mut message = Vec::from(len.to_ne_bytes());
        message.extend(level.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(body);
        message.resize(len.next_multiple_of(size_of::<usize>()), 0);
        message
    }

    fn extended(error: u32, origin: u8, code: u8, first: u32, last: u32) -> Vec<u8> {
        let mut body = Vec::from(error.to_ne_bytes());
        body.extend([origin, 0, code, 0]);
        body.extend(first.to_ne_bytes());
        body.extend(last.to_ne_bytes());
        body.extend([0; 16]); // an address
        body
    }

    #[test]
    fn a_notification_is_found_behind_what_other_options_say() {
        let said = Notification { first: u32::MAX, last: 3, copied: true };
        for (level, kind) in
            [(libc::SOL_IP, libc::IP_RECVERR), (libc::SOL_IPV6, libc::IPV6_RECVERR)]
        {
            let ours = control(level, kind, &extended(0, 5, 1, u32::MAX, 3));
            assert_eq!(parse(&ours), Some(said));
            let mut behind = control(libc::SOL_SOCKET, 29, &[7; 13]);
            behind.extend(ours);
            assert_eq!(parse(&behind), Some(said));
        }
    }

    #[test]
    fn what_was_copied_is_told_by_one_bit() {
        let with =
            |code| parse(&control(libc::SOL_IP, libc::IP_RECVERR, &extended(0, 5, code, 1, 2)));
        for (code, copied) in [(0, false), (1, true), (2, false), (3, true)] {
            assert_eq!(with(code), Some(Notification { first: 1, last: 2, copied }));
        }
    }

    #[test]
    fn what_is_no_socket_is_not_asked_in_vain() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(is_enabled(file.as_fd()).unwrap_err().raw_os_error(), Some(libc::ENOTSOCK));
    }

    #[test]
    fn what_is_no_notification_is_not_taken_for_one() {
        let with = |body: &[u8]| parse(&control(libc::SOL_IP, libc::IP_RECVERR, body));
        assert_eq!(with(&extended(111, 5, 0, 0, 0)), None); // an error
        assert_eq!(with(&extended(0, 2, 0, 0, 0)), None); // of ICMP
        let whole = control(libc::SOL_IP, libc::IP_RECVERR, &extended(0, 5, 0, 1, 2));
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut random = Random::new(1);
        for _ in 0..20_000 {
            let mut bytes = control(0, 11, &extended(0, 5, 0, 0, 0));
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = [0, 1, 0xff, random.below(256).to_ne_bytes()[0]][random.below(4)];
            }
            let _ = parse(&bytes[..random.below(bytes.len() + 1)]);
        }
    }
}
