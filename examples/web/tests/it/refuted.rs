//! What a review refuted.

use crate::{
    app::{ask, line},
    http::machine::converse,
};
use std::{borrow::Cow, time::Duration};
use web::{
    App, Hook, Json, Options, Query, Reply, Request,
    model::{Either, Int, List, ToJson},
};

web::model! { struct Both<'a> { either: Either<List<'a, Int<'a>>, List<'a, bool>> } }

fn post(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The errors of the first kind fill the answer, so that those of the second are overlooked.
#[test]
fn a_union_takes_nothing_that_neither_kind_takes() {
    let mut app = App::new("a");
    app.post::<Json<Both<'_>>>("/", |_, reply| reply.empty()).unwrap();
    let service = app.finish();
    for len in [10, 200 << 10, 300 << 10] {
        let said = ask(&service, &post(&format!(r#"{{"either":["{}"]}}"#, "x".repeat(len))));
        assert!(said.starts_with("HTTP/1.1 422 "), "{len}: {}", &said[..15]);
    }
}

/// No limit, as one would say it.
#[test]
fn t22_no_limit_of_bodies_is_one() {
    let options = Options { largest_body: usize::MAX, ..Options::default() };
    let service = |_: &Request<'_>, reply: &mut Reply<'_>| reply.body(b"hello");
    let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 18446744073709551615\r\n\r\n";
    let bytes = format!("{head}GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n");
    let (said, _) = converse([bytes.as_bytes()], &service, &options, 4096);
    assert!(!said.starts_with(b"HTTP/1.1 200 "), "{}", said.escape_ascii());
}

web::model! { struct Half<'a> { n: Int<'a> [multiple_of = 0.5] } }
web::model! { struct Above<'a> { n: List<'a, Int<'a>> [each = [ge = 0.5]] } }
web::model! { struct Nought { n: Option<f64> [multiple_of = 0] } }
web::model! { struct Inside<'a> { above: Above<'a> } }
web::model! { struct Whole<'a> { n: Int<'a> [ge = -3.0, multiple_of = 3] } }

/// As pydantic refuses them: when the model is declared, not when somebody asks.
#[test]
fn bounds_that_a_field_cannot_have_are_refused_with_the_route() {
    let mut app = App::new("a");
    let refused = [
        app.get::<Query<Half<'_>>>("/half", |_, reply| reply.empty()),
        app.get::<Query<Above<'_>>>("/above", |_, reply| reply.empty()),
        app.get::<Query<Nought>>("/nought", |_, reply| reply.empty()),
        app.post::<Json<Inside<'_>>>("/inside", |_, reply| reply.empty()),
    ];
    for refused in refused {
        let error = refused.expect_err("its bounds").to_string();
        assert!(error.contains("`n`: bounds"), "{error}");
    }
    app.get::<Query<Whole<'_>>>("/whole", |_, reply| reply.empty()).unwrap();
    let said = ask(&app.finish(), &line("GET", "/whole?n=-3"));
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

struct Panics;

impl Hook for Panics {
    fn after(&self, _: &Request<'_>, _: u16, _: Duration) {
        panic!("on purpose");
    }
}

struct Notes(std::sync::Arc<std::sync::Mutex<Vec<u16>>>);

impl Hook for Notes {
    fn after(&self, _: &Request<'_>, status: u16, _: Duration) {
        self.0.lock().unwrap().push(status);
    }
}

/// "Of each hook whose `before` was called", and "as the client sees it".
#[test]
fn a_hook_that_panics_afterwards_hides_nothing_from_those_around_it() {
    let notes = std::sync::Arc::default();
    let mut app = App::new("a").hook(Notes(std::sync::Arc::clone(&notes))).hook(Panics);
    app.get::<web::Nothing>("/", |_, reply| reply.empty()).unwrap();
    let (said, _) =
        converse([line("GET", "/").as_bytes()], &app.finish(), &Options::default(), 4096);
    let status = String::from_utf8(said).unwrap()[9..12].parse::<u16>().unwrap();
    assert_eq!(*notes.lock().unwrap(), [status]);
}

/// To `HEAD` no body is sent, be the head as it may.
#[test]
fn a_refusal_of_head_has_no_body() {
    let service = |_: &Request<'_>, reply: &mut Reply<'_>| reply.empty();
    let bytes = b"HEAD / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999\r\n\r\n".as_slice();
    let (said, _) = converse([bytes], &service, &Options::default(), 4096);
    assert!(said.ends_with(b"\r\n\r\n"), "{}", said.escape_ascii());
}

web::model! { struct Accepted<'a> { accept: List<'a, Cow<'a, str>> } }

/// FastAPI takes headers that come more than once for a list; here that is said to be impossible when the
/// route is added, not to each client.
#[test]
fn a_header_that_is_a_list_is_refused_with_its_route() {
    let mut app = App::new("a");
    let added = app.get::<web::Header<Accepted<'_>>>("/", |_, reply| reply.empty());
    let error = added.expect_err("a list").to_string();
    assert!(error.contains("/: `accept`: a list"), "{error}");
}

web::model! {
    struct Below<'a> {
        small: i64 [ge = -5] = -1,
        large: Int<'a> = -2,
        float: f64 [gt = -273.15] = -0.5,
        whole: f64 = -3,
    }
}

#[test]
fn a_default_may_be_negative() {
    let mut app = App::new("a");
    app.get::<Query<Below<'_>>>("/", |Query(below), reply| {
        reply.json(|out| below.write_json(out));
    })
    .unwrap();
    let service = app.finish();
    let said = ask(&service, &line("GET", "/"));
    let body = r#"{"small":-1,"large":-2,"float":-0.5,"whole":-3.0}"#;
    assert!(said.ends_with(body), "{said}");
    let said = ask(&service, &line("GET", "/openapi.json"));
    assert!(said.contains(r#""default":-0.5"#) && said.contains(r#""default":-2"#), "{said}");
}
