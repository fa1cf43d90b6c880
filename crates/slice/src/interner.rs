//! [`Interner`]: one block for each of the keys that repeat.

use crate::Str;
use std::collections::HashSet;

/// Gives equal strings one block: for header names, metric labels and other keys that repeat.
///
/// Strings that fit in a handle ([`Slice::INLINE`](crate::Slice::INLINE) bytes) need no table and
/// take no place in it. A full table goes on answering, with strings that are not shared, so that
/// keys from outside cannot make it grow without bound.
///
/// ```
/// use aqueduct_slice::Interner;
///
/// let mut names = Interner::with_limit(1000);
/// let first = names.intern("x-forwarded-client-cert-chain");
/// let again = names.intern("x-forwarded-client-cert-chain");
/// assert_eq!(first.as_ptr(), again.as_ptr());
/// ```
#[derive(Debug)]
pub struct Interner {
    strings: HashSet<Str>,
    limit: usize,
}

impl Interner {
    /// Strings that a table holds unless told otherwise.
    pub const LIMIT: usize = 65_536;

    /// An empty table for at most [`LIMIT`](Self::LIMIT) strings.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(Self::LIMIT)
    }

    /// An empty table for at most `limit` strings.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { strings: HashSet::new(), limit }
    }

    /// The table's handle on `text`, copied in when it is new. Constant time but for hashing.
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out.
    pub fn intern(&mut self, text: &str) -> Str {
        if text.len() <= crate::Slice::INLINE {
            return Str::from(text);
        }
        if let Some(known) = self.strings.get(text) {
            return known.clone();
        }
        let string = Str::from(text);
        if self.strings.len() < self.limit {
            self.strings.insert(string.clone());
        }
        string
    }

    /// Strings in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.strings.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.strings.is_empty()
    }
}

impl Default for Interner {
    fn default() -> Self {
        Self::new()
    }
}
