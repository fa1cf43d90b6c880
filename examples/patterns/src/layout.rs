//! Where the headers of a frame lie and where its payload begins, every length checked against what
//! is there.

use std::ops::Range;

use crate::fault::{Fault, FaultKind, Rule};
use crate::format::{Link, Record, lie, short};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// One tag of the provider and one of the customer; a third is left to the payload.
const MOST_VLAN_TAGS: usize = 2;

/// The network layer of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Not IP, or cut before its end.
    None,
    /// IPv4, its header (with options) at this offset in the frame.
    V4(usize),
    /// IPv6, its header at this offset in the frame.
    V6(usize),
}

/// The transport layer of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// No IP, or cut before its end.
    None,
    /// TCP, its header (with options) at this offset in the frame.
    Tcp(usize),
    /// UDP, its header at this offset in the frame.
    Udp(usize),
    /// A part of a fragmented packet: what follows the IP headers is not looked into.
    Fragment,
    /// Another protocol, by its number: not looked into.
    Other(u8),
}

/// Where the parts of a frame lie: a handful of offsets, no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The type of what the link carries, as Ethernet numbers it (0x0800 is IPv4), also where the
    /// link is none; 0 if unknown.
    pub ethertype: u16,
    /// The outermost VLAN tag: priority, and the number in the low twelve bits.
    pub vlan: Option<u16>,
    /// The network layer.
    pub network: Network,
    /// The transport layer.
    pub transport: Transport,
    /// All headers are the frame's first bytes, this many.
    pub header_len: usize,
    /// Bytes of payload that are there. What follows them in the frame is padding.
    pub payload_len: usize,
    /// The snapshot length cut headers or payload: more was on the wire.
    pub cut: bool,
}

impl Layout {
    /// Finds the headers of `frame`, which lies `offset` bytes into the file. A frame that the
    /// snapshot length cut is followed as far as it goes; of one without bytes nothing can lie.
    ///
    /// # Errors
    ///
    /// A [`Fault`] when a length or version in a header contradicts the frame.
    pub fn parse(link: Link, frame: &[u8], record: &Record, offset: u64) -> Result<Layout, Fault> {
        let mut layout = Layout {
            ethertype: 0,
            vlan: None,
            network: Network::None,
            transport: Transport::None,
            header_len: 0,
            payload_len: 0,
            cut: false,
        };
        if frame.is_empty() {
            layout.cut = record.is_cut();
            return Ok(layout);
        }
        let mut cursor = Cursor { frame, at: 0, end: record.original, offset };
        match cursor.link(link, &mut layout) {
            Ok(()) | Err(Stop::Cut) => {}
            Err(Stop::Fault(fault)) => return Err(fault),
        }
        layout.header_len = cursor.at;
        layout.payload_len = cursor.end.min(frame.len()) - cursor.at;
        layout.cut = cursor.end > frame.len();
        Ok(layout)
    }

    /// Where the payload lies in the frame.
    #[must_use]
    pub fn payload(&self) -> Range<usize> {
        self.header_len..self.header_len + self.payload_len
    }
}

/// Why a frame is followed no further.
enum Stop {
    /// The snapshot length cut it here.
    Cut,
    Fault(Fault),
}

/// Invariant: `at <= end` and `at <= frame.len()`. `end` is where the innermost layer entered so
/// far ends on the wire.
struct Cursor<'a> {
    frame: &'a [u8],
    at: usize,
    end: usize,
    offset: u64,
}

impl<'a> Cursor<'a> {
    fn link(&mut self, link: Link, layout: &mut Layout) -> Result<(), Stop> {
        layout.ethertype = match link {
            Link::Ethernet => {
                let header = self.peek::<14>("an ethernet header")?;
                self.at += 14;
                be16(header, 12)
            }
            Link::LinuxCooked => {
                let header = self.peek::<16>("a linux cooked header")?;
                self.at += 16;
                be16(header, 14)
            }
            Link::Null => {
                let family = self.peek::<4>("an address family")?;
                self.at += 4;
                ethertype_of_family(*family)
            }
            Link::RawIp => match self.peek::<1>("an ip header")?[0] >> 4 {
                4 => IPV4,
                6 => IPV6,
                _ => 0,
            },
        };
        let mut tags = 0;
        while matches!(layout.ethertype, 0x8100 | 0x88a8 | 0x9100) && tags < MOST_VLAN_TAGS {
            let tag = self.peek::<4>("a vlan tag")?;
            self.at += 4;
            layout.vlan.get_or_insert(be16(tag, 0));
            layout.ethertype = be16(tag, 2);
            tags += 1;
        }
        match layout.ethertype {
            IPV4 => self.ipv4(layout),
            IPV6 => self.ipv6(layout),
            _ => Ok(()),
        }
    }

    fn ipv4(&mut self, layout: &mut Layout) -> Result<(), Stop> {
        let at = self.at;
        let header = self.peek::<20>("an ipv4 header")?;
        self.check(0, "an ip version", Rule::Exactly(4), header[0] >> 4)?;
        let words = header[0] & 15;
        self.check(0, "an ipv4 header length in words", Rule::AtLeast(5), words)?;
        let header_len = usize::from(words) * 4;
        let total = be16(header, 2);
        // Zero is what a capture sees when the network card was to cut the packet up and fill the
        // field in.
        if total != 0 {
            self.check(2, "an ipv4 total length", Rule::AtLeast(header_len as u64), total)?;
            self.check(2, "an ipv4 total length", Rule::AtMost(self.left()), total)?;
            self.end = at + usize::from(total);
        }
        self.skip(header_len, "an ipv4 header with options")?;
        layout.network = Network::V4(at);
        if be16(header, 6) & 0x3fff != 0 {
            layout.transport = Transport::Fragment;
            return Ok(());
        }
        self.transport(header[9], layout)
    }

    fn ipv6(&mut self, layout: &mut Layout) -> Result<(), Stop> {
        let at = self.at;
        let header = self.peek::<40>("an ipv6 header")?;
        self.check(0, "an ip version", Rule::Exactly(6), header[0] >> 4)?;
        let length = be16(header, 4);
        // Zero stands for a length in a hop-by-hop option (or, as above, for one not yet filled
        // in).
        if length != 0 {
            self.check(4, "an ipv6 payload length", Rule::AtMost(self.left() - 40), length)?;
            self.end = at + 40 + usize::from(length);
        }
        self.at += 40;
        layout.network = Network::V6(at);
        let mut next = header[6];
        loop {
            match next {
                0 => {
                    let options = self.peek::<8>("a hop-by-hop header")?;
                    self.skip((usize::from(options[1]) + 1) * 8, "a hop-by-hop header")?;
                    next = options[0];
                }
                44 => {
                    let fragment = self.peek::<8>("a fragment header")?;
                    self.at += 8;
                    // A fragment that is first and last is a whole packet.
                    if be16(fragment, 2) & 0xfff9 != 0 {
                        layout.transport = Transport::Fragment;
                        return Ok(());
                    }
                    next = fragment[0];
                }
                _ => return self.transport(next, layout),
            }
        }
    }

    fn transport(&mut self, protocol: u8, layout: &mut Layout) -> Result<(), Stop> {
        let at = self.at;
        layout.transport = match protocol {
            6 => {
                let words = self.peek::<20>("a tcp header")?[12] >> 4;
                self.check(12, "a tcp header length in words", Rule::AtLeast(5), words)?;
                self.skip(usize::from(words) * 4, "a tcp header with options")?;
                Transport::Tcp(at)
            }
            17 => {
                let length = be16(self.peek::<8>("a udp header")?, 4);
                // Zero stands for a datagram too long for the field: it fills its packet.
                if length != 0 {
                    self.check(4, "a udp length", Rule::AtLeast(8), length)?;
                    self.check(4, "a udp length", Rule::AtMost(self.left()), length)?;
                    self.end = at + usize::from(length);
                }
                self.at += 8;
                Transport::Udp(at)
            }
            other => Transport::Other(other),
        };
        Ok(())
    }

    /// The next `N` bytes.
    fn peek<const N: usize>(&self, what: &'static str) -> Result<&'a [u8; N], Stop> {
        if self.left() < N as u64 {
            return Err(self.short(what, N));
        }
        self.frame[self.at..].first_chunk().ok_or(Stop::Cut)
    }

    fn skip(&mut self, len: usize, what: &'static str) -> Result<(), Stop> {
        if self.left() < len as u64 {
            return Err(self.short(what, len));
        }
        if self.frame.len() - self.at < len {
            return Err(Stop::Cut);
        }
        self.at += len;
        Ok(())
    }

    /// Bytes that the innermost layer has left on the wire.
    fn left(&self) -> u64 {
        (self.end - self.at) as u64
    }

    /// Checks a field `field` bytes past the cursor.
    fn check(
        &self,
        field: u64,
        what: &'static str,
        rule: Rule,
        found: impl Into<u64>,
    ) -> Result<(), Stop> {
        let found = found.into();
        let holds = match rule {
            Rule::Exactly(n) => found == n,
            Rule::AtLeast(n) => found >= n,
            Rule::AtMost(n) => found <= n,
        };
        if holds { Ok(()) } else { Err(self.fault(field, lie(what, rule, found))) }
    }

    #[cold]
    fn short(&self, what: &'static str, needed: usize) -> Stop {
        self.fault(0, short(what, needed, self.end - self.at))
    }

    #[cold]
    fn fault(&self, field: u64, kind: FaultKind) -> Stop {
        Stop::Fault(Fault { offset: self.offset + self.at as u64 + field, kind })
    }
}

fn be16<const N: usize>(bytes: &[u8; N], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// The capturing machine wrote the family in its own byte order, and a family is a small number.
fn ethertype_of_family(bytes: [u8; 4]) -> u16 {
    let little = u32::from_le_bytes(bytes);
    let family = if little > 0xffff { u32::from_be_bytes(bytes) } else { little };
    match family {
        2 => IPV4,
        // Windows and Linux, then the BSDs and macOS.
        10 | 23 | 24 | 28 | 30 => IPV6,
        _ => 0,
    }
}
