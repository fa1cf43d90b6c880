//! Another program's view of the same capture.

use std::path::Path;
use std::process::Command;

use aqueduct_testkit::skip;

use crate::build::read;

#[test]
fn tshark_sees_the_same_packets_and_payloads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/loopback-http.pcap");
    let fields =
        ["frame.len", "frame.cap_len", "tcp.srcport", "tcp.dstport", "tcp.len", "tcp.payload"];
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&path).args(["-o", "tcp.desegment_tcp_streams:FALSE", "-T", "fields"]);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let Ok(output) = tshark.output() else {
        skip("tshark is not installed");
        return;
    };
    if !output.status.success() {
        skip("tshark does not run here");
        return;
    }
    let text = String::from_utf8(output.stdout).expect("tshark prints text");
    let theirs: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let (ours, fault) = read(&std::fs::read(path).expect("the bundled capture"));
    assert_eq!((ours.len(), fault), (theirs.len(), None));
    for (number, (our, their)) in ours.iter().zip(theirs).enumerate() {
        let payload: String = our.payload.iter().map(|byte| format!("{byte:02x}")).collect();
        // The two ports are where any TCP header starts, right behind IP, and these have 32 or 40
        // bytes.
        let tcp = if our.header[12] == 8 { 34 } else { 54 };
        let port = |at| u16::from_be_bytes([our.header[at], our.header[at + 1]]);
        let our = [
            our.original.to_string(),
            our.original.to_string(),
            port(tcp).to_string(),
            port(tcp + 2).to_string(),
            our.payload.len().to_string(),
            payload,
        ];
        assert_eq!(our.as_slice(), their.as_slice(), "packet {}", number + 1);
    }
}
