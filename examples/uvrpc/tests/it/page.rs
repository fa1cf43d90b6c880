//! What the page about security says of limits.

use aqueduct_testkit::{Limit, check_limits};
use uvrpc::{Options, Profile};

#[test]
fn the_limits_of_the_page_are_those_of_the_code() {
    let Options { largest, handshake, heartbeat, timeout, connections, stop, .. } =
        Options::default();
    let heartbeat = if heartbeat.is_zero() { Limit::None } else { heartbeat.into() };
    let settings = [
        ("Options::largest", largest.into()),
        ("Profile::high_water", Profile::default().high_water().into()),
        ("Options::connections", connections.into()),
        ("Options::handshake", handshake.into()),
        ("Options::heartbeat", heartbeat),
        ("Options::timeout", timeout.into()),
        ("Options::stop", stop.into()),
    ];
    check_limits(env!("CARGO_MANIFEST_DIR"), "`uvrpc`", &settings);
}
