//! What handlers can be, and what they can ask for.

use crate::app::{ask, line};
use serde_json::Value as Json;
use std::{
    borrow::Cow,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};
use web::{
    App, Doc, Header, Input, Path, Query, Raw, Ready, Reply,
    model::{At, Checker, Value},
};

web::model! { struct Named<'a> { name: Cow<'a, str> } }
web::model! { struct Asked<'a> { q: Cow<'a, str> } }
web::model! { struct Agent<'a> { agent as "user-agent": Cow<'a, str> } }
web::model! { struct Two<'a> { name: Cow<'a, str>, other: Cow<'a, str> } }

/// Somebody else's input: the word behind `Bearer`.
struct Bearer<'a>(&'a str);

impl Input for Bearer<'static> {
    type At<'a> = Bearer<'a>;

    fn take<'a>(ready: &Ready<'a>, checker: &mut Checker) -> Option<Bearer<'a>> {
        let said = ready.request().headers.get("authorization");
        let word = said.and_then(|said| std::str::from_utf8(said).ok()?.strip_prefix("Bearer "));
        let Some(word) = word else {
            let header = At::root("header");
            let at = header.name("authorization");
            return checker.refuse(&at, Value::Null, "auth", "Not from here");
        };
        Some(Bearer(word))
    }

    fn describe(doc: &mut Doc) {
        doc.parameters("header", <Agent<'static> as web::model::Model<'static>>::SCHEMA);
    }
}

/// All that it can see.
struct Everything(String);

impl Input for Everything {
    type At<'a> = Everything;
    const QUERY: bool = true;
    const BODY: bool = true;

    fn take<'a>(ready: &Ready<'a>, _: &mut Checker) -> Option<Everything> {
        let query = ready.query().and_then(|query| query.get("q"));
        let parts =
            (ready.param("name"), ready.param("absent"), query, ready.body(), ready.bytes());
        Some(Everything(format!("{parts:?}")))
    }

    fn describe(_: &mut Doc) {}
}

/// State of the application's own.
#[test]
fn handlers_hold_what_they_need() {
    let mut app = App::new("Counting");
    let count = Arc::new(AtomicU64::new(0));
    let (mine, greeting) = (Arc::clone(&count), String::from("hello "));
    app.get::<Path<Named<'_>>>("/{name}", move |Path(named), reply| {
        mine.fetch_add(1, Relaxed);
        reply.body(format!("{greeting}{}", named.name).as_bytes());
    })
    .unwrap();
    let service = app.finish();
    for name in ["ann", "bob"] {
        assert!(
            ask(&service, &line("GET", &format!("/{name}"))).ends_with(&format!("hello {name}"))
        );
    }
    assert_eq!(count.load(Relaxed), 2);
}

type Four<'a> = (Path<Named<'a>>, Query<Asked<'a>>, Header<Agent<'a>>, Bearer<'a>);

fn four((Path(path), Query(query), Header(header), Bearer(word)): Four<'_>, reply: &mut Reply<'_>) {
    reply.body(format!("{} {} {} {word}", path.name, query.q, header.agent).as_bytes());
}

#[test]
fn four_parts_and_one_of_somebody_elses() {
    let mut app = App::new("Four");
    app.get::<Four<'_>>("/names/{name}", four).unwrap();
    app.post::<(Everything, Raw<'_>)>("/names/{name}", |(all, _), reply| {
        reply.body(all.0.as_bytes())
    })
    .unwrap();
    let service = app.finish();
    let get = |headers: &str| {
        ask(&service, &format!("GET /names/ann?q=x HTTP/1.1\r\nhost: a\r\n{headers}\r\n"))
    };
    let said = get("user-agent: u\r\nauthorization: Bearer w\r\n");
    assert!(said.ends_with("\r\n\r\nann x u w"), "{said}");
    let said = get("user-agent: u\r\nauthorization: other\r\n");
    let (_, body) = said.split_once("\r\n\r\n").unwrap();
    let errors: Json = serde_json::from_str(body).unwrap();
    assert_eq!(errors["detail"][0]["loc"], serde_json::json!(["header", "authorization"]));
    let said = ask(
        &service,
        "POST /names/ann?q=x HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n17",
    );
    let (_, body) = said.split_once("\r\n\r\n").unwrap();
    assert!(body.starts_with(r#"(Some("ann"), None, Some(Text("x")), Some("#), "{said}");
    assert!(body.ends_with("[49, 55])"), "{said}");
    let described = ask(&service, &line("GET", "/openapi.json"));
    assert!(described.contains("user-agent"), "{described}");
}

/// It could never be answered with anything but the same error.
#[test]
fn a_field_that_no_path_has_is_refused_with_both_their_names() {
    let mut app = App::new("Unbound");
    let nothing = |_: Path<Two<'_>>, reply: &mut Reply<'_>| reply.empty();
    for path in ["/a/{name}", "/a/{name}/{{other}}", "/a/{name}/other", "/{name}/{*others}"] {
        let error = app.get::<Path<Two<'_>>>(path, nothing).expect_err(path).to_string();
        assert!(error.starts_with(&format!("{path}: ")) && error.contains("`other`"), "{error}");
    }
    for path in ["/b/{other}/{name}", "/c/{name}-x/{other}", "/d/{name}/{*other}"] {
        app.get::<Path<Two<'_>>>(path, nothing).expect(path);
    }
    // Nothing of them is left behind.
    let said = ask(&app.finish(), &line("GET", "/a/x"));
    assert!(said.starts_with("HTTP/1.1 404 "), "{said}");
}
