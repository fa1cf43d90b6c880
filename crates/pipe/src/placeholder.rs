//! [`Placeholder`]: room for what is known only later.

/// Bytes that were left out and are filled in before the flush: see
/// [`Writer::reserve_prefix`](crate::Writer::reserve_prefix).
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a prefix that is not filled in is sent as zeros"]
pub struct Placeholder {
    /// The pipe's.
    pub(crate) number: u64,
    /// Bytes flushed when it was left out, and rollbacks: of which there may be no more since.
    pub(crate) span: (u64, u64),
    /// Which of the span's blocks it lies in.
    pub(crate) block: usize,
    /// Where in what that block has not published.
    pub(crate) offset: usize,
    pub(crate) len: usize,
}

impl Placeholder {
    /// Bytes of the prefix.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
