//! What the page about security says of limits.

use aqueduct_testkit::check_limits;

#[test]
fn the_limits_of_the_page_are_those_of_the_code() {
    check_limits(env!("CARGO_MANIFEST_DIR"), "`streamweave`", &[]);
}
