//! [`App`]: hooks, methods, and routes that clash.

use crate::http::machine::converse;
use aqueduct::meter;
use std::{
    borrow::Cow,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};
use web::{
    App, Hook, Mode, Nothing, Options, Path, Reply, Request, Service, demo::demo, model::ToJson,
};

/// All answers to what was sent.
pub(crate) fn ask(service: &impl Service, requests: &str) -> String {
    let (answers, over) = converse([requests.as_bytes()], service, &Options::default(), 4096);
    assert!(!over, "the connection is kept");
    String::from_utf8(answers).expect("it answers in text")
}

pub(crate) fn line(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nhost: a\r\n\r\n")
}

fn said(reply: &mut Reply<'_>, words: &'static str) {
    reply.json(|out| out.write_all(words.as_bytes()));
}

type Notes = Arc<Mutex<Vec<String>>>;

/// Notes what it sees, and answers early where the path has its name.
struct Noting(&'static str, Notes);

impl Hook for Noting {
    fn before(&self, request: &Request<'_>, reply: &mut Reply<'_>) -> bool {
        self.1.lock().unwrap().push(format!("{} before {}", self.0, request.path));
        let mine = request.path.strip_prefix('/') == Some(self.0);
        if mine {
            said(reply.status(403), "\"no\"");
        }
        !mine
    }

    fn after(&self, _: &Request<'_>, status: u16, took: Duration) {
        assert!(took < Duration::from_secs(20));
        self.1.lock().unwrap().push(format!("{} after {status}", self.0));
    }
}

fn noting() -> (impl Service, Notes) {
    let notes = Notes::default();
    let mut app = App::new("Hooks")
        .hook(Noting("outer", Arc::clone(&notes)))
        .hook(Noting("middle", Arc::clone(&notes)))
        .hook(Noting("inner", Arc::clone(&notes)));
    let theirs = |_, reply: &mut Reply<'_>| said(reply.status(202), "\"yes\"");
    app.get::<Nothing>("/", theirs).unwrap();
    (app.finish(), notes)
}

#[test]
fn hooks_are_around_each_other_in_order_and_see_the_status() {
    let (service, notes) = noting();
    for (target, status) in [("/", "202"), ("/absent", "404")] {
        let answer = ask(&service, &line("GET", target));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let want = ["outer", "middle", "inner"].map(|name| format!("{name} before {target}"));
        let after = ["inner", "middle", "outer"].map(|name| format!("{name} after {status}"));
        assert_eq!(notes.lock().unwrap().drain(..).collect::<Vec<_>>(), [want, after].concat());
    }
}

/// What is within it sees nothing of the request.
#[test]
fn a_hook_that_answers_early_is_the_innermost() {
    let (service, notes) = noting();
    let answers = ask(&service, &[line("GET", "/middle"), line("GET", "/")].concat());
    assert!(
        answers.starts_with("HTTP/1.1 403 ") && answers.contains("\r\n\r\n\"no\"HTTP/1.1 202 ")
    );
    let want =
        ["outer before /middle", "middle before /middle", "middle after 403", "outer after 403"];
    assert_eq!(notes.lock().unwrap()[..5], [&want[..], &["outer before /"]].concat());
}

#[test]
fn heads_are_answered_where_gets_are() {
    let service = demo(Mode::ZeroCopy).unwrap().finish();
    for target in
        ["/", "/health", "/users/7", "/files/a", "/stream?count=2", "/tuple", "/openapi.json"]
    {
        let (get, head) =
            (ask(&service, &line("GET", target)), ask(&service, &line("HEAD", target)));
        let (want, body) = get.split_once("\r\n\r\n").expect("a head");
        let (head, none) = head.split_once("\r\n\r\n").expect("a head");
        // The length of JSON is filled in behind spaces, if there is a body.
        let plain =
            |head: &str| head.split(": ").map(str::trim_start).collect::<Vec<_>>().join(": ");
        assert_eq!((plain(head), none), (plain(want), ""), "{target}");
        assert!(!body.is_empty(), "{target}");
    }
    assert!(ask(&service, &line("HEAD", "/users")).starts_with("HTTP/1.1 405 "));
    assert!(ask(&service, &line("HEAD", "/absent")).starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_method_that_is_not_there_is_a_405_that_says_which_are() {
    let service = demo(Mode::ZeroCopy).unwrap().finish();
    for (method, target, allowed) in [
        ("POST", "/", "GET"),
        ("GET", "/users", "POST"),
        ("POST", "/items/7", "GET, PUT, PATCH, DELETE"),
        ("BREW", "/items/7", "GET, PUT, PATCH, DELETE"),
        ("get", "/health", "GET"),
    ] {
        let answer = ask(&service, &line(method, target));
        assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer}");
        assert!(answer.contains(&format!("\r\nallow: {allowed}\r\n")), "{answer}");
        assert!(answer.ends_with("\r\n\r\n{\"detail\":\"Method Not Allowed\"}"), "{answer}");
    }
}

#[test]
fn routes_that_clash_are_refused_by_their_path() {
    let mut app = App::new("Clashes");
    let nothing = |_, reply: &mut Reply<'_>| reply.empty();
    app.get::<Nothing>("/a/{one}", nothing).unwrap();
    app.get::<Nothing>("/files/{*rest}", nothing).unwrap();
    app.post::<Nothing>("/a/{one}", nothing).expect("another method");
    for path in ["/a/{two}", "/files/{*path}", "/b/{", "/{a}{b}", "/{*rest}/more"] {
        let error = app.get::<Nothing>(path, nothing).expect_err(path);
        assert!(error.to_string().starts_with(&format!("{path}: ")), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
    // Nobody would ever be sent to the second.
    let error = app.get::<Nothing>("/a/{one}", nothing).expect_err("it is there");
    assert!(error.to_string().starts_with("/a/{one}: "), "{error}");
    // What was refused has left nothing behind.
    let service = app.finish();
    assert!(ask(&service, &line("GET", "/a/7")).starts_with("HTTP/1.1 200 "));
    assert!(ask(&service, &line("GET", "/b/7")).starts_with("HTTP/1.1 404 "));
}

web::model! { struct Named<'a> { name: Cow<'a, str> } }

fn greet(Path(named): Path<Named<'_>>, reply: &mut Reply<'_>) {
    reply.json(|out| named.write_json(out));
}

#[test]
fn two_applications_of_different_modes_on_one_thread() {
    let [borrowing, copying] = [Mode::ZeroCopy, Mode::Copying].map(|mode| {
        let mut app = App::new("Greeting").mode(mode);
        app.get::<Path<Named<'_>>>("/{name}", greet).unwrap();
        app.finish()
    });
    let request = line("GET", "/somebody-with-a-name-of-some-length");
    let copied = |service: &_| {
        let before = meter::thread();
        let answer = ask(service, &request);
        assert!(answer.ends_with(r#"{"name":"somebody-with-a-name-of-some-length"}"#), "{answer}");
        (meter::thread() - before).bytes
    };
    // Each keeps to its own, whichever was before it.
    let first = [copied(&borrowing), copied(&copying)];
    assert_eq!(first[1] - first[0], "somebody-with-a-name-of-some-length".len() as u64);
    for _ in 0..3 {
        assert_eq!([copied(&borrowing), copied(&copying)], first);
    }
}
