//! What is wrong with a capture, where, and what was expected instead.

use std::fmt;

/// A place in a capture that does not hold what it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Bytes from the start of the file to the field or structure at fault.
    pub offset: u64,
    /// What was expected there, and what was found.
    pub kind: FaultKind,
}

/// What was expected at [`Fault::offset`], and what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The file is a pcapng file, another format.
    PcapNg,
    /// The first four bytes are none of the four magic numbers; as read in little-endian order.
    Magic(u32),
    /// The capture's link type is none that this reader knows.
    LinkType(u32),
    /// The capture ends inside a structure.
    Short {
        /// The structure.
        what: &'static str,
        /// Its length in bytes.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// A field holds a number that cannot be true.
    Lie {
        /// The field.
        what: &'static str,
        /// What its value must satisfy.
        rule: Rule,
        /// Its value.
        found: u64,
    },
}

/// What a field's value must satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name says it all")]
pub enum Rule {
    Exactly(u64),
    AtLeast(u64),
    AtMost(u64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: ", self.offset)?;
        match self.kind {
            FaultKind::PcapNg => {
                write!(f, "expected a pcap file, found pcapng (convert it with editcap -F pcap)")
            }
            FaultKind::Magic(found) => {
                write!(f, "expected a pcap magic number, found {found:#010x}")
            }
            FaultKind::LinkType(found) => write!(
                f,
                "expected link type 0 (null), 1 (ethernet), 101 (raw ip) or 113 (linux cooked), \
                 found {found}"
            ),
            FaultKind::Short { what, needed, found } => {
                write!(f, "expected {what} of {needed} bytes, found {found}")
            }
            FaultKind::Lie { what, rule, found } => {
                write!(f, "expected {what} of {rule}, found {found}")
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Exactly(n) => write!(f, "{n}"),
            Rule::AtLeast(n) => write!(f, "at least {n}"),
            Rule::AtMost(n) => write!(f, "at most {n}"),
        }
    }
}

impl std::error::Error for Fault {}
