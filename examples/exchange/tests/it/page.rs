//! What the page about security says of limits.

use aqueduct_testkit::check_limits;
use exchange::serve::Options;

#[test]
fn the_limits_of_the_page_are_those_of_the_code() {
    let Options { connections, pause, most, idle, write, .. } = Options::default();
    let settings = [
        ("serve::Options::pause", pause.into()),
        ("serve::Options::most", most.into()),
        ("serve::Options::connections", connections.into()),
        ("serve::Options::idle", idle.into()),
        ("serve::Options::write", write.into()),
    ];
    check_limits(env!("CARGO_MANIFEST_DIR"), "`exchange`", &settings);
}
