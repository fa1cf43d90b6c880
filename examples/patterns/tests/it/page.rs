//! What the page about security says of limits.

use aqueduct_testkit::check_limits;
use patterns::relay::{Mode, Options};

#[test]
fn the_limits_of_the_page_are_those_of_the_code() {
    let target = ([127, 0, 0, 1], 1).into();
    let Options { cap, idle, grace, .. } = Options::new(target, Mode::Pipe);
    let settings = [
        ("relay::Options::cap", cap.into()),
        ("relay::Options::idle", idle.into()),
        ("relay::Options::grace", grace.into()),
    ];
    check_limits(env!("CARGO_MANIFEST_DIR"), "`patterns`", &settings);
}
