//! What is valid is checked, and answered, without allocating.

#![allow(clippy::disallowed_methods, reason = "a test copies; nothing here is measured")]

use std::io::Write;

use aqueduct_testkit::CountingAlloc;
use web::model::{At, Check, Checker, Tape, ToJson, params};

#[path = "it/models.rs"]
#[allow(dead_code, reason = "shared with the other tests, which use all")]
mod models;
use models::{Asked, Item, Order, Patch, Strict, User};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// Checks `body` and writes the model back, in the same tape, checker and buffer each time.
fn round<'a, T: Check<'a> + ToJson>(
    tape: &'a mut Tape,
    body: &'a str,
    mut out: &mut [u8],
) -> usize {
    let mut checker = Checker::new(false);
    let room = out.len();
    let value = tape.json(body.as_bytes()).expect("sound");
    let model = T::check_at(value, &At::root("body"), &mut checker).expect("valid");
    model.write_json(&mut out).expect("room");
    out.flush().expect("nothing to do");
    room - out.len()
}

#[test]
fn valid_bodies_and_queries_allocate_nothing() {
    let user = r#"{"name":"Änn","email":"ann@x.org","age":"7","website":"http://x.org/a","tags":["a","b"],
        "address":{"street":"S","city":"C","zip":"12345"}}"#;
    let order = format!(
        r#"{{"customer":{user},"lines":[{{"sku":"ABC-1234","count":2}},{{"sku":"ABC-1235","count":3,"note":"n"}}],"ref":7}}"#
    );
    let (mut tape, mut room) = (Tape::default(), vec![0; 4096]);
    let mut rounds = || {
        let mut written = 0;
        written += round::<User<'_>>(&mut tape, user, &mut room);
        written += round::<Order<'_>>(&mut tape, &order, &mut room);
        let item = r#"{"name":"x","price":2.5e-7,"kind":"toy","rating":4.5,"step":1000000000000000000000}"#;
        written += round::<Item<'_>>(&mut tape, item, &mut room);
        written += round::<Patch<'_>>(&mut tape, r#"{"ref":7}"#, &mut room);
        written += round::<Strict<'_>>(&mut tape, r#"{"id":7,"label":"ten"}"#, &mut room);
        let mut checker = Checker::new(false);
        let fields = tape.query("tag=ab&tag=c%20d&short=on&nums=1&nums=2&price=1.5");
        let asked: Option<Asked<'_>> =
            params("query", |name, list| fields.param(name, list), &mut checker);
        asked.expect("valid").write_json(&mut room.as_mut_slice()).expect("room");
        written
    };
    // The tape grows, expressions are compiled, the meter finds its thread.
    let first = rounds();
    let before = CountingAlloc::thread();
    let second = rounds();
    let used = CountingAlloc::thread() - before;
    assert_eq!((used.allocations, used.frees), (0, 0));
    assert!(first == second && first > 500, "{first} bytes written");
}
