//! Borrowed views of the headers: each field is read from the bytes when it is asked for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::layout::{Layout, Network, Transport};

/// All headers of one packet: a view of its frame's first bytes, or of a copy of them.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    bytes: &'a [u8],
    layout: &'a Layout,
}

impl<'a> Header<'a> {
    /// The view of `bytes`, a frame's first [`Layout::header_len`] bytes or more.
    ///
    /// # Panics
    ///
    /// Panics if `bytes` are fewer.
    #[must_use]
    pub fn new(bytes: &'a [u8], layout: &'a Layout) -> Self {
        Header { bytes: &bytes[..layout.header_len], layout }
    }

    /// The bytes under the view.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the parts lie.
    #[must_use]
    pub fn layout(&self) -> &'a Layout {
        self.layout
    }

    /// The IPv4 header.
    #[must_use]
    pub fn ipv4(&self) -> Option<Ipv4<'a>> {
        match self.layout.network {
            Network::V4(at) => Some(Ipv4(&self.bytes[at..])),
            _ => None,
        }
    }

    /// The IPv6 header.
    #[must_use]
    pub fn ipv6(&self) -> Option<Ipv6<'a>> {
        match self.layout.network {
            Network::V6(at) => Some(Ipv6(&self.bytes[at..])),
            _ => None,
        }
    }

    /// The TCP header.
    #[must_use]
    pub fn tcp(&self) -> Option<Tcp<'a>> {
        match self.layout.transport {
            Transport::Tcp(at) => Some(Tcp(&self.bytes[at..])),
            _ => None,
        }
    }

    /// The UDP header.
    #[must_use]
    pub fn udp(&self) -> Option<Udp<'a>> {
        match self.layout.transport {
            Transport::Udp(at) => Some(Udp(&self.bytes[at..])),
            _ => None,
        }
    }

    /// Sender and receiver, of either IP version.
    #[must_use]
    pub fn addresses(&self) -> Option<(IpAddr, IpAddr)> {
        let v4 = self.ipv4().map(|ip| (ip.source().into(), ip.destination().into()));
        v4.or_else(|| self.ipv6().map(|ip| (ip.source().into(), ip.destination().into())))
    }

    /// Ports of the sender and the receiver, of TCP or UDP.
    #[must_use]
    pub fn ports(&self) -> Option<(u16, u16)> {
        match self.layout.transport {
            Transport::Tcp(at) | Transport::Udp(at) => {
                Some((be16(self.bytes, at), be16(self.bytes, at + 2)))
            }
            _ => None,
        }
    }
}

/// An IPv4 header, with what follows it.
#[derive(Clone, Copy, Debug)]
pub struct Ipv4<'a>(&'a [u8]);

#[allow(missing_docs, reason = "the fields of RFC 791, by name")]
#[allow(clippy::must_use_candidate, reason = "plain getters")]
impl<'a> Ipv4<'a> {
    pub fn header_len(&self) -> usize {
        usize::from(self.0[0] & 15) * 4
    }

    pub fn total_len(&self) -> u16 {
        be16(self.0, 2)
    }

    pub fn identification(&self) -> u16 {
        be16(self.0, 4)
    }

    pub fn dont_fragment(&self) -> bool {
        self.0[6] & 0x40 != 0
    }

    pub fn more_fragments(&self) -> bool {
        self.0[6] & 0x20 != 0
    }

    /// In bytes.
    pub fn fragment_offset(&self) -> usize {
        usize::from(be16(self.0, 6) & 0x1fff) * 8
    }

    pub fn hop_limit(&self) -> u8 {
        self.0[8]
    }

    pub fn protocol(&self) -> u8 {
        self.0[9]
    }

    pub fn checksum(&self) -> u16 {
        be16(self.0, 10)
    }

    pub fn source(&self) -> Ipv4Addr {
        Ipv4Addr::from(array::<4>(self.0, 12))
    }

    pub fn destination(&self) -> Ipv4Addr {
        Ipv4Addr::from(array::<4>(self.0, 16))
    }

    pub fn options(&self) -> &'a [u8] {
        &self.0[20..self.header_len()]
    }
}

/// An IPv6 header, with what follows it.
#[derive(Clone, Copy, Debug)]
pub struct Ipv6<'a>(&'a [u8]);

#[allow(missing_docs, reason = "the fields of RFC 8200, by name")]
#[allow(clippy::must_use_candidate, reason = "plain getters")]
impl Ipv6<'_> {
    pub fn traffic_class(&self) -> u8 {
        (self.0[0] << 4) | (self.0[1] >> 4)
    }

    pub fn flow_label(&self) -> u32 {
        u32::from_be_bytes([0, self.0[1] & 15, self.0[2], self.0[3]])
    }

    pub fn payload_len(&self) -> u16 {
        be16(self.0, 4)
    }

    pub fn next_header(&self) -> u8 {
        self.0[6]
    }

    pub fn hop_limit(&self) -> u8 {
        self.0[7]
    }

    pub fn source(&self) -> Ipv6Addr {
        Ipv6Addr::from(array::<16>(self.0, 8))
    }

    pub fn destination(&self) -> Ipv6Addr {
        Ipv6Addr::from(array::<16>(self.0, 24))
    }
}

/// A TCP header.
#[derive(Clone, Copy, Debug)]
pub struct Tcp<'a>(&'a [u8]);

#[allow(missing_docs, reason = "the fields of RFC 9293, by name")]
#[allow(clippy::must_use_candidate, reason = "plain getters")]
impl<'a> Tcp<'a> {
    pub fn source(&self) -> u16 {
        be16(self.0, 0)
    }

    pub fn destination(&self) -> u16 {
        be16(self.0, 2)
    }

    pub fn sequence(&self) -> u32 {
        u32::from_be_bytes(array(self.0, 4))
    }

    pub fn acknowledgment(&self) -> u32 {
        u32::from_be_bytes(array(self.0, 8))
    }

    /// From the low bit up: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR.
    pub fn flags(&self) -> u8 {
        self.0[13]
    }

    /// As sent, before any scaling.
    pub fn window(&self) -> u16 {
        be16(self.0, 14)
    }

    pub fn checksum(&self) -> u16 {
        be16(self.0, 16)
    }

    pub fn urgent(&self) -> u16 {
        be16(self.0, 18)
    }

    pub fn options(&self) -> &'a [u8] {
        &self.0[20..]
    }
}

/// A UDP header.
#[derive(Clone, Copy, Debug)]
pub struct Udp<'a>(&'a [u8]);

#[allow(missing_docs, reason = "the fields of RFC 768, by name")]
#[allow(clippy::must_use_candidate, reason = "plain getters")]
impl Udp<'_> {
    pub fn source(&self) -> u16 {
        be16(self.0, 0)
    }

    pub fn destination(&self) -> u16 {
        be16(self.0, 2)
    }

    pub fn length(&self) -> u16 {
        be16(self.0, 4)
    }

    pub fn checksum(&self) -> u16 {
        be16(self.0, 6)
    }
}

fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|i| bytes[at + i])
}
