//! The pcap file format: a file header of 24 bytes, then records of 16 bytes and a frame each.

use crate::fault::{Fault, FaultKind, Rule};

/// Length of the file header.
pub const FILE_HEADER: usize = 24;
/// Length of a record's header.
pub const RECORD_HEADER: usize = 16;
/// The longest frame that a record may hold: the largest snapshot length that libpcap grants for
/// the link types read here. A captured length above it is a lie, and is refused before any memory
/// is set aside for it.
pub const LONGEST_FRAME: usize = 262_144;

/// What the frames of a capture begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// BSD loopback: four bytes of address family, in the byte order of the machine that captured.
    Null,
    /// Ethernet, with or without VLAN tags.
    Ethernet,
    /// An IPv4 or IPv6 packet and nothing in front of it.
    RawIp,
    /// Linux "cooked": sixteen bytes, made up when capturing on all interfaces at once.
    LinuxCooked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        }
    }
}

/// The file header: how to read everything that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// What each frame begins with.
    pub link: Link,
    /// Bytes kept of each frame at most, as the capturing program was told. Files exist whose
    /// frames are longer, so nothing here relies on it.
    pub snaplen: u32,
    /// Whether the fraction of a time stamp counts nanoseconds (else microseconds).
    pub nanoseconds: bool,
    order: Order,
}

impl FileHeader {
    /// Reads the header at the start of a file.
    ///
    /// # Errors
    ///
    /// A [`Fault`] when the bytes are too few, of another format, or of a link type that is not
    /// known.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let at = |offset, kind| Fault { offset, kind };
        let magic = bytes.first_chunk::<4>().map_or(0, |b| u32::from_le_bytes(*b));
        let (order, nanoseconds) = match magic {
            0xa1b2_c3d4 => (Order::Little, false),
            0xd4c3_b2a1 => (Order::Big, false),
            0xa1b2_3c4d => (Order::Little, true),
            0x4d3c_b2a1 => (Order::Big, true),
            0x0a0d_0d0a => return Err(at(0, FaultKind::PcapNg)),
            _ if bytes.len() >= 4 => return Err(at(0, FaultKind::Magic(magic))),
            _ => (Order::Little, false),
        };
        let Some(bytes) = bytes.first_chunk::<FILE_HEADER>() else {
            return Err(at(0, short("a file header", FILE_HEADER, bytes.len())));
        };
        let major = match order {
            Order::Little => u16::from_le_bytes([bytes[4], bytes[5]]),
            Order::Big => u16::from_be_bytes([bytes[4], bytes[5]]),
        };
        if major != 2 {
            return Err(at(4, lie("a major version", Rule::Exactly(2), u64::from(major))));
        }
        // The upper half may say that frames end with a checksum; the lengths inside a frame leave
        // it out anyway.
        let link = match order.u32([bytes[20], bytes[21], bytes[22], bytes[23]]) & 0xffff {
            0 => Link::Null,
            1 => Link::Ethernet,
            101 => Link::RawIp,
            113 => Link::LinuxCooked,
            other => return Err(at(20, FaultKind::LinkType(other))),
        };
        let snaplen = order.u32([bytes[16], bytes[17], bytes[18], bytes[19]]);
        Ok(FileHeader { link, snaplen, nanoseconds, order })
    }

    /// Reads the record header at `bytes`, which lies `offset` bytes into the file.
    ///
    /// # Errors
    ///
    /// A [`Fault`] when it claims more bytes than a frame can have, or more than the frame had on
    /// the wire.
    pub fn record(&self, bytes: &[u8; RECORD_HEADER], offset: u64) -> Result<Record, Fault> {
        let word = |i: usize| self.order.u32([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
        let (seconds, fraction, captured, original) = (word(0), word(4), word(8), word(12));
        let limit = original.min(LONGEST_FRAME as u32);
        if captured > limit {
            let rule = Rule::AtMost(u64::from(limit));
            let kind = lie("a captured length", rule, u64::from(captured));
            return Err(Fault { offset: offset + 8, kind });
        }
        let unit = if self.nanoseconds { 1 } else { 1000 };
        let time_ns = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit;
        Ok(Record { captured: captured as usize, original: original as usize, time_ns })
    }
}

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Bytes of the frame that the file holds.
    pub captured: usize,
    /// Bytes that the frame had on the wire.
    pub original: usize,
    /// Nanoseconds since 1970, as the capturing machine saw them.
    pub time_ns: u64,
}

impl Record {
    /// Whether the snapshot length cut the frame: its end is not in the file.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.captured < self.original
    }
}

pub(crate) fn short(what: &'static str, needed: usize, found: usize) -> FaultKind {
    FaultKind::Short { what, needed: needed as u64, found: found as u64 }
}

pub(crate) fn lie(what: &'static str, rule: Rule, found: u64) -> FaultKind {
    FaultKind::Lie { what, rule, found }
}
