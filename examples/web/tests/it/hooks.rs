//! [`Hook`]: headers on every answer, and the status that is really sent.

use crate::http::machine::converse;
use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
    time::Duration,
};
use web::{App, Hook, Nothing, Options, Path, Reply, Request, Service, model::ToJson};

web::model! { struct Named<'a> { name: Cow<'a, str> [max_length = 5] } }

type Statuses = Arc<Mutex<Vec<u16>>>;

/// Adds its name to all that is answered, and notes with which status; answers some itself.
struct Marking(&'static str, Statuses);

impl Hook for Marking {
    fn before(&self, request: &Request<'_>, reply: &mut Reply<'_>) -> bool {
        reply.always(self.0, request.path);
        match request.path.strip_prefix(&format!("/{}/", self.0)) {
            Some("no") => reply.status(403).empty(),
            Some("panic") => panic!("on purpose"),
            Some("bad") => _ = reply.always("a header", "b"),
            _ => return true,
        }
        request.path.ends_with("bad")
    }

    fn after(&self, _: &Request<'_>, status: u16, _: Duration) {
        self.1.lock().unwrap().push(status);
    }
}

fn marked(statuses: &Statuses) -> impl Service + use<> {
    let mut app = App::new("Marked")
        .hook(Marking("outer", Arc::clone(statuses)))
        .hook(Marking("inner", Arc::clone(statuses)));
    app.get::<Path<Named<'_>>>("/names/{name}", |Path(named), reply| {
        reply.status(201).header("x-own", "1").json(|out| named.write_json(out));
    })
    .unwrap();
    app.get::<Nothing>("/panic", |_, _| panic!("on purpose")).unwrap();
    app.get::<Nothing>("/late", |_, reply| {
        reply.header("x-own", "1").body(b"whole");
        panic!("on purpose");
    })
    .unwrap();
    app.get::<Nothing>("/broken", |_, reply| reply.header("a", "b\r\nc: d").body(b"")).unwrap();
    app.get::<Nothing>("/unwritten", |_, reply| {
        reply.header("x-own", "1").json(|_| Err(std::io::ErrorKind::Other.into()));
    })
    .unwrap();
    app.get::<Nothing>("/nothing", |_, _| {}).unwrap();
    app.get::<Nothing>("/empty", |_, reply| reply.status(204).empty()).unwrap();
    app.get::<Nothing>("/stream", |_, reply| reply.stream([aqueduct::Slice::from_static(b"s")]))
        .unwrap();
    app.finish()
}

#[test]
fn whatever_is_answered_has_their_headers_and_the_status_that_they_are_told() {
    let statuses = Statuses::default();
    let service = marked(&statuses);
    for (path, status, own) in [
        ("/names/ann", 201, true),
        ("/names/too-long", 422, false),
        ("/absent", 404, false),
        ("/openapi.json", 200, false),
        ("/empty", 204, false),
        ("/stream", 200, false),
        ("/panic", 500, false),
        ("/late", 500, false),
        ("/broken", 500, false),
        ("/unwritten", 500, false),
        ("/nothing", 500, false),
        ("/inner/no", 403, false),
        ("/inner/panic", 500, false),
        ("/inner/bad", 500, false),
    ] {
        for method in ["GET", "HEAD"] {
            let request = format!("{method} {path} HTTP/1.1\r\nhost: a\r\n\r\n");
            let (said, over) = converse([request.as_bytes()], &service, &Options::default(), 4096);
            let said = String::from_utf8(said).unwrap();
            assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {said}");
            assert_eq!(over, status == 500, "{path}");
            let (head, body) = said.split_once("\r\n\r\n").unwrap();
            let marks = format!("\r\nouter: {path}\r\ninner: {path}\r\n");
            assert!(format!("{head}\r\n").contains(&marks), "{path}: {said}");
            assert_eq!((head.matches("outer").count(), head.contains("x-own")), (1, own), "{said}");
            assert!(method == "GET" || body.is_empty(), "{path}: {said}");
            assert_eq!(
                statuses.lock().unwrap().drain(..).collect::<Vec<_>>(),
                [status; 2],
                "{path}"
            );
        }
    }
    let refused = converse(
        [b"POST /empty HTTP/1.1\r\nhost: a\r\n\r\n".as_slice()],
        &service,
        &Options::default(),
        4096,
    );
    let said = String::from_utf8(refused.0).unwrap();
    assert!(said.starts_with("HTTP/1.1 405 ") && said.contains("\r\nouter: /empty\r\n"), "{said}");
}
