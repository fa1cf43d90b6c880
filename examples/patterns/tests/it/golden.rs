//! Every field of a few packets whose bytes are written out.

use std::net::IpAddr;

use patterns::format::{Link, Record};
use patterns::header::Header;
use patterns::layout::{Layout, Network, Transport};

use crate::build::hex;

/// The layout of a whole frame that must be sound.
fn layout(link: Link, frame: &[u8]) -> Layout {
    let record = Record { captured: frame.len(), original: frame.len(), time_ns: 0 };
    Layout::parse(link, frame, &record, 0).expect("a sound frame")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Ethernet, two VLAN tags, IPv4 with options, TCP with options, 3 bytes, 2 of padding.
#[test]
fn tcp_over_ipv4_with_all_that_may_stand_between() {
    let frame = hex("020000000001 020000000002 88a8 6005 8100 2007 0800
         46 10 0037 beef 4000 3f 06 1234 c0000201 c6336402 01010100
         d903 0050 01020304 05060708 70 18 1000 abcd 0009 020405b4 01030307
         616263 0000");
    let layout = layout(Link::Ethernet, &frame);
    assert_eq!(layout.ethertype, 0x0800);
    assert_eq!(layout.vlan, Some(0x6005));
    assert_eq!(layout.network, Network::V4(22));
    assert_eq!(layout.transport, Transport::Tcp(46));
    assert_eq!((layout.header_len, layout.payload_len, layout.cut), (74, 3, false));
    assert_eq!(&frame[layout.payload()], b"abc");

    let header = Header::new(&frame, &layout);
    assert_eq!(header.bytes(), &frame[..74]);
    assert_eq!(header.addresses(), Some((ip("192.0.2.1"), ip("198.51.100.2"))));
    assert_eq!(header.ports(), Some((0xd903, 80)));
    assert!(header.ipv6().is_none() && header.udp().is_none());

    let v4 = header.ipv4().expect("ipv4");
    assert_eq!((v4.header_len(), v4.total_len(), v4.identification()), (24, 55, 0xbeef));
    assert_eq!((v4.dont_fragment(), v4.more_fragments(), v4.fragment_offset()), (true, false, 0));
    assert_eq!((v4.hop_limit(), v4.protocol(), v4.checksum()), (63, 6, 0x1234));
    assert_eq!(v4.options(), [1, 1, 1, 0]);

    let tcp = header.tcp().expect("tcp");
    assert_eq!((tcp.source(), tcp.destination()), (0xd903, 80));
    assert_eq!((tcp.sequence(), tcp.acknowledgment()), (0x0102_0304, 0x0506_0708));
    assert_eq!((tcp.flags(), tcp.window()), (0x18, 0x1000));
    assert_eq!((tcp.checksum(), tcp.urgent()), (0xabcd, 9));
    assert_eq!(tcp.options(), hex("020405b4 01030307"));
}

#[test]
fn udp_over_ipv6_behind_a_hop_by_hop_and_a_whole_fragment() {
    let frame = hex("333300000001 020000000002 86dd
         6 ab 12345 001e 00 40 20010db8000000000000000000000001 ff020000000000000000000000000001
         2c 00 05020000 0100
         11 00 0000 deadbeef
         14e9 0035 000e 5678 010203040506");
    let layout = layout(Link::Ethernet, &frame);
    assert_eq!(layout.vlan, None);
    assert_eq!(layout.network, Network::V6(14));
    assert_eq!(layout.transport, Transport::Udp(70));
    assert_eq!((layout.header_len, layout.payload_len), (78, 6));

    let header = Header::new(&frame, &layout);
    assert_eq!(header.addresses(), Some((ip("2001:db8::1"), ip("ff02::1"))));
    assert!(header.ipv4().is_none() && header.tcp().is_none());
    let v6 = header.ipv6().expect("ipv6");
    assert_eq!((v6.traffic_class(), v6.flow_label()), (0xab, 0x12345));
    assert_eq!((v6.payload_len(), v6.next_header(), v6.hop_limit()), (30, 0, 64));
    let udp = header.udp().expect("udp");
    assert_eq!((udp.source(), udp.destination()), (5353, 53));
    assert_eq!((udp.length(), udp.checksum()), (14, 0x5678));
}

#[test]
fn the_other_links() {
    let packet = "45 00 001d 0000 0000 40 11 0000 7f000001 7f000001  0001 0002 0009 0000 2a";
    let cases = [
        (Link::RawIp, ""),
        (Link::LinuxCooked, "0000 0304 0006 000000000000 0000 0800"),
        (Link::Null, "02000000"),
        (Link::Null, "00000002"),
    ];
    for (link, front) in cases {
        let frame = hex(&format!("{front}{packet}"));
        let layout = layout(link, &frame);
        assert_eq!(layout.ethertype, 0x0800, "{link:?}");
        assert_eq!(&frame[layout.payload()], b"*", "{link:?}");
        assert_eq!(Header::new(&frame, &layout).ports(), Some((1, 2)), "{link:?}");
    }
    for family in ["0a000000", "0000001e", "1c000000", "18000000", "00000017"] {
        let frame = hex(&format!("{family} 60000000 0000 3b 40 {:064}", 0));
        let layout = layout(Link::Null, &frame);
        assert_eq!(layout.network, Network::V6(4), "{family}");
        assert_eq!(layout.transport, Transport::Other(59), "{family}");
    }
}

#[test]
fn what_is_no_ip_is_payload() {
    let arp = hex("ffffffffffff 020000000002 0806 0001080006040001");
    let layout = layout(Link::Ethernet, &arp);
    assert_eq!((layout.ethertype, layout.network), (0x0806, Network::None));
    assert_eq!((layout.header_len, layout.payload_len), (14, 8));
    let header = Header::new(&arp, &layout);
    assert_eq!((header.addresses(), header.ports()), (None, None));

    // A length in place of a type: 802.3.
    let old = hex("ffffffffffff 020000000002 0003 aaaa03");
    assert_eq!(self::layout(Link::Ethernet, &old).payload(), 14..17);
    // A third tag is not looked behind.
    let tags = hex("ffffffffffff 020000000002 8100 0001 8100 0002 8100 0003 0800");
    assert_eq!(self::layout(Link::Ethernet, &tags).payload(), 22..26);
}

#[test]
fn fragments_are_not_looked_into() {
    for (bits, offset) in [("2000", 0), ("0001", 8), ("2003", 24)] {
        let frame = hex(&format!(
            "45 00 001c 0007 {bits} 40 11 0000 0a000001 0a000002 0001 0002 ffff 0000"
        ));
        let layout = layout(Link::RawIp, &frame);
        assert_eq!(layout.transport, Transport::Fragment);
        assert_eq!(layout.payload(), 20..28);
        let header = Header::new(&frame, &layout);
        let v4 = header.ipv4().expect("ipv4");
        assert_eq!((v4.fragment_offset(), v4.more_fragments()), (offset, bits.starts_with('2')));
        assert_eq!(header.ports(), None);
    }
    let v6 = hex(&format!("60000000 000c 2c 40 {:064} 06 00 0009 00000001 01020304", 0));
    let layout = layout(Link::RawIp, &v6);
    assert_eq!((layout.transport, layout.payload()), (Transport::Fragment, 48..52));
}

/// Lengths that are zero where the card was to fill them in, or that do not fit their field.
#[test]
fn a_length_of_zero_means_all_there_is() {
    let v4 = hex("45 00 0000 0000 0000 40 11 0000 7f000001 7f000001  0001 0002 0000 0000 2a2b");
    assert_eq!(layout(Link::RawIp, &v4).payload(), 28..30);
    let v6 = hex(&format!("60000000 0000 11 40 {:064} 0001 0002 000a 0000 2a2b", 0));
    assert_eq!(layout(Link::RawIp, &v6).payload(), 48..50);
}
