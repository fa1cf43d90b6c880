//! What must not compile, and what must.

#[test]
fn what_the_borrow_checker_catches() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
