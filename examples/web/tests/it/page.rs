//! What the page about security says of limits.

use aqueduct_testkit::check_limits;
use web::{Options, Timeouts};

#[test]
fn the_limits_of_the_page_are_those_of_the_code() {
    let Options { largest_body, connections, timeouts, .. } = Options::default();
    let Timeouts { head, body, idle, write, stop } = timeouts;
    let settings = [
        ("Options::largest_body", largest_body.into()),
        ("Options::connections", connections.into()),
        ("Timeouts::head", head.into()),
        ("Timeouts::body", body.into()),
        ("Timeouts::idle", idle.into()),
        ("Timeouts::write", write.into()),
        ("Timeouts::stop", stop.into()),
    ];
    check_limits(env!("CARGO_MANIFEST_DIR"), "`web`", &settings);
}
