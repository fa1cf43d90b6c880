//! [`LogError`]: why a log cannot be read, or does not take an order.

use std::{fmt, io};

/// Why a log cannot be read, or does not take an order.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogError {
    /// The system refused something. The log is as it was before.
    Io {
        /// What was to be done.
        doing: &'static str,
        /// The file, or nothing for the folder.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A sync failed: the log takes no more, for nobody can say any more what is on the disk.
    Sync {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// What is in the folder cannot be the log that was written.
    Damaged {
        /// The file.
        segment: String,
        /// Where in it, in bytes.
        offset: u64,
        /// What is wrong there.
        damage: Damage,
    },
    /// An order with another sequence number than the next.
    OutOfOrder {
        /// The next.
        expected: u64,
        /// The order's.
        found: u64,
    },
    /// A snapshot of a state that is not durable yet.
    NotDurable {
        /// The snapshot's last order.
        seq: u64,
        /// The last durable one.
        durable: u64,
    },
    /// A sync has failed before. Open the log again.
    Closed,
}

/// What is wrong with a segment or a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// No header is where one must be.
    Header,
    /// A version of the format that this program does not know.
    Version(u32),
    /// A record that is not as it was written, though it was durable.
    Record,
    /// A record that is not whole, though it was durable.
    Cut,
    /// A record with a good checksum and no order in it.
    Order,
    /// A record with a good checksum that belongs elsewhere.
    Sequence {
        /// What belongs there.
        expected: u64,
        /// What was found.
        found: u64,
    },
    /// Orders that were taken on by something else: by an exchange of other opening balances, markets
    /// or limits.
    Origin,
    /// Orders of other segments, which are missing, come before this.
    Missing {
        /// The first that is missing.
        expected: u64,
        /// The first of this segment.
        found: u64,
    },
    /// An order that does not come out as it was recorded.
    Verdict {
        /// The order.
        seq: u64,
    },
    /// A snapshot that is not of these accounts, limits and markets.
    State,
    /// The log ends before this snapshot, which is made of what is durable.
    Short {
        /// The log's last order.
        end: u64,
    },
}

impl LogError {
    pub(crate) fn io(doing: &'static str, file: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, file: file.to_owned(), source }
    }

    pub(crate) fn damaged(segment: &str, offset: u64, damage: Damage) -> Self {
        Self::Damaged { segment: segment.to_owned(), offset, damage }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, file, source } if file.is_empty() => write!(f, "{doing}: {source}"),
            Self::Io { doing, file, source } => write!(f, "{doing} {file}: {source}"),
            Self::Sync { file, source } => write!(f, "cannot sync {file}: {source}"),
            Self::Damaged { segment, offset, damage } => {
                write!(f, "{segment}: at byte {offset}: {damage}")
            }
            Self::OutOfOrder { expected, found } => {
                write!(f, "order {found} where {expected} is next")
            }
            Self::NotDurable { seq, durable } => {
                write!(f, "a snapshot at {seq}, while only {durable} is durable")
            }
            Self::Closed => write!(f, "the log is closed: a sync has failed"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => write!(f, "not the header of a segment"),
            Self::Origin => write!(f, "a log of other opening balances, markets or limits"),
            Self::Version(found) => write!(f, "version {found} of the format is not known"),
            Self::Record => write!(f, "a record that was durable is damaged"),
            Self::Cut => write!(f, "a record that was durable is cut"),
            Self::Order => write!(f, "a record with no order in it"),
            Self::Sequence { expected, found } => {
                write!(f, "expected order {expected}, found {found}")
            }
            Self::Missing { expected, found } => {
                write!(f, "orders {expected} up to here are missing, found {found}")
            }
            Self::Verdict { seq } => {
                write!(f, "order {seq} does not come out as it was recorded")
            }
            Self::State => write!(f, "not a state of these accounts, markets and limits"),
            Self::Short { end } => write!(f, "the log ends before, at order {end}"),
        }
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } | Self::Sync { source, .. } => Some(source),
            _ => None,
        }
    }
}
