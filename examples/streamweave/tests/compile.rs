//! What must not compile: wrong types, and inputs used twice.
//!
//! A binary of its own, so that no test with a clock runs beside it: trybuild checks all dependencies of this
//! package anew, once, without the network; after that it takes two seconds.

#[test]
fn what_does_not_compile() {
    if !aqueduct_testkit::may_compare_messages() {
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
