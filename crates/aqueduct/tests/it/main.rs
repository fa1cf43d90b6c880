//! What must not compile, by the name under which everybody uses it.
//!
//! Here and not beside what it is about: trybuild builds all dependencies of the package anew, twice,
//! and those of a package with large ones take longer than a test may.

#[test]
fn what_the_borrow_checker_catches() {
    if !aqueduct_testkit::may_compare_messages() {
        return;
    }
    // With a file among them that must pass, each would be built by itself.
    trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
}
