//! [`ZeroCopyChoice`]: which bytes are worth sending with `MSG_ZEROCOPY`.

use std::fmt;

/// How a call sends its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendWay {
    /// The kernel copies them, and needs them no more when the call is over.
    Plain,
    /// The kernel sends them from where they are, and says later that it needs them no more.
    ZeroCopy,
}

/// What the kernel has said so far of zero-copy sends on a socket. It prints as a line for a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZeroCopyAnswer {
    /// Nothing.
    #[default]
    None,
    /// That what it is done with was sent without a copy.
    Sent,
    /// That it had to copy bytes after all.
    Copied,
    /// That it does not do it: the kernel is too old, or the socket is not TCP.
    Unsupported,
}

impl fmt::Display for ZeroCopyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "nothing is known of sending without a copy yet",
            Self::Sent => "sent without a copy",
            Self::Copied => {
                "the kernel copied what it was to send without a copy; sending plainly instead"
            }
            Self::Unsupported => {
                "the kernel cannot send here without a copy; sending plainly instead"
            }
        })
    }
}

/// Which calls are worth sending with `MSG_ZEROCOPY`.
///
/// A plain send costs a copy and the kernel's pages for it: 0.03 to 0.1 microseconds per KiB. A zero-copy
/// one costs to pin pages and to read a notification, and its blocks come back only when the peer has
/// acknowledged their bytes. On a device that copies nothing both cost the sender the same at 24 KiB, 3.6
/// against 3.2 microseconds at 32, 6.1 against 3.6 at 64. Over loopback, which copies all the same, it
/// costs 2 to 7 more for 4 to 64 KiB.
/// So it is for long calls of long pieces, to peers that are reached without a copy on the way.
///
/// ```
/// use aqueduct_os::{SendWay, ZeroCopyAnswer, ZeroCopyChoice};
///
/// let choice = ZeroCopyChoice::default();
/// let way = |len, pieces, local| choice.way(len, pieces, local, ZeroCopyAnswer::None);
/// assert_eq!(way(1 << 20, 16, false), SendWay::ZeroCopy);
/// assert_eq!(way(4096, 1, false), SendWay::Plain); // the copy is cheaper
/// assert_eq!(way(1 << 20, 1024, false), SendWay::Plain); // a page to pin for each KiB
/// assert_eq!(way(1 << 20, 16, true), SendWay::Plain); // loopback always copies
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZeroCopyChoice {
    /// Bytes that a call has at least to be sent without a copy. Its pieces have a page each, or so
    /// many bytes if that is less, in the mean.
    pub least: usize,
    /// Whether peers on this machine are tried, too. What goes over loopback is always copied, only
    /// later: this makes sense in tests.
    pub local: bool,
}

/// What a page holds on most machines: a piece that is shorter pins one all the same.
const PAGE: usize = 4096;

impl ZeroCopyChoice {
    /// How to send `len` bytes in so many pieces with one call.
    #[must_use]
    pub const fn way(
        self,
        len: usize,
        pieces: usize,
        peer_is_local: bool,
        answer: ZeroCopyAnswer,
    ) -> SendWay {
        let allowed = match answer {
            ZeroCopyAnswer::None | ZeroCopyAnswer::Sent => !peer_is_local || self.local,
            ZeroCopyAnswer::Copied | ZeroCopyAnswer::Unsupported => false,
        };
        let least_piece = if self.least < PAGE { self.least } else { PAGE };
        let long = len >= self.least && len >= pieces.saturating_mul(least_piece);
        if allowed && long { SendWay::ZeroCopy } else { SendWay::Plain }
    }
}

impl Default for ZeroCopyChoice {
    /// From 32 KiB on, where its absence begins to cost less than the copy; not for peers on this machine.
    fn default() -> Self {
        Self { least: 32 * 1024, local: false }
    }
}
