//! The same of whole applications: what is routed, read, checked and answered.

use super::{cost, served};
use aqueduct::{Pool, meter, pipe};
use std::{
    borrow::Cow,
    cell::Cell,
    io::{Read, Write},
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use web::{
    App, Conversation, Header, Json, Mode, Next, Options, Path, Query, Raw, Reply, Request,
    Service, Wait, demo::demo, model::List,
};

const USER: &str = r#"{"name":"a name of some length, so it is long","email":"ada@example.com","age":36,
"website":"https://example.com/ada","address":{"street":"12 St James Square","city":"London","zip":"10115"},
"tags":["mathematics","engines"]}"#;

fn post(target: &str, body: &str) -> Vec<u8> {
    let (kind, length) = ("application/json", body.len());
    let head = "HTTP/1.1\r\nhost: a\r\nx-token: a token which is long enough for a block";
    format!(
        "POST {target} {head}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn get(target: &str) -> Vec<u8> {
    let head = "HTTP/1.1\r\nhost: a\r\nuser-agent: something that is longer than a few bytes";
    format!("GET {target} {head}\r\nx-token: a token\r\naccept: */*\r\n\r\n").into_bytes()
}

#[test]
fn the_demonstration_allocates_nothing_for_a_get_and_a_valid_post() {
    let order = format!(
        r#"{{"customer":{USER},"lines":[{{"sku":"ABC-1234","count":2,"note":"soon"}}],"ref":"r"}}"#
    );
    for request in [
        get("/"),
        get("/health"),
        get("/users/7"),
        get("/items/17?q=words&skip=3&limit=20&short=true&price=2.5"),
        get("/search?tag=one&tag=two&sort=desc"),
        get("/files/a/path/of/some/length/to/a/file.txt"),
        get("/headers"),
        get("/tuple"),
        post("/users", USER),
        post("/items", r#"{"name":"ball","price":2.5,"quantity":3,"kind":"toy"}"#),
        post("/orders", &order),
        post("/strict", r#"{"id":7,"label":"ten"}"#),
        post("/echo", USER),
    ] {
        for pipelined in [false, true] {
            let service = demo(Mode::ZeroCopy).unwrap().finish();
            let (allocations, _) = cost(service, Mode::ZeroCopy, &request, 2000, pipelined);
            let request = request.escape_ascii();
            assert!(allocations == 0.0, "{allocations} for {request}, pipelined: {pipelined}");
        }
    }
}

web::model! { struct Named<'a> { name: Cow<'a, str> } }
web::model! {
    struct Asked<'a> {
        q: Cow<'a, str> [min_length = 2],
        tag: List<'a, Cow<'a, str>> [min_items = 2],
    }
}
web::model! { struct Token<'a> { token as "x-token": Cow<'a, str> } }
web::model! { struct Place<'a> { city: Cow<'a, str> } }
web::model! {
    struct Note<'a> {
        text: Cow<'a, str> [max_length = 200],
        place: Option<Place<'a>> = null,
        tags: List<'a, Cow<'a, str>> [unique_items = true] = [],
    }
}

type Seen<'a> = (Path<Named<'a>>, Query<Asked<'a>>, Raw<'a>);
type Sent<'a> = (Header<Token<'a>>, Json<Note<'a>>, Raw<'a>);

thread_local! {
    /// Bytes that were copied on this thread when a request was answered.
    static ANSWERED: Cell<Option<u64>> = const { Cell::new(None) };
}
/// Bytes that were copied from one answer to the next handler, and how many handlers there were.
static COPIED: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
/// Where requests lie, for a test that knows.
static BLOCK: Mutex<Range<usize>> = Mutex::new(0..0);

/// The parts of `request` that a handler got: they lie in its blocks, wherever these are.
fn borrowed(request: &Request<'_>, parts: &[Cow<'_, str>]) {
    if let Some(before) = ANSWERED.get() {
        COPIED[0].fetch_add(meter::thread().bytes - before, Relaxed);
        COPIED[1].fetch_add(1, Relaxed);
    }
    let block = BLOCK.lock().unwrap().clone();
    for part in parts {
        let Cow::Borrowed(part) = part else { panic!("{part} is a string of its own") };
        // A handle on it is one on the block. Shorter ones are moved inline.
        let kept = request.body.slice(part.as_bytes());
        assert!(!kept.is_inline() && kept.as_ptr() == part.as_ptr(), "{part}");
        let start = part.as_ptr().addr();
        let inside = block.contains(&start) && start + part.len() <= block.end;
        assert!(inside || block.is_empty(), "{part} is not where it was received");
    }
}

fn seen((Path(path), Query(query), raw): Seen<'_>, reply: &mut Reply<'_>) {
    let mut parts = vec![path.name, query.q];
    parts.extend(query.tag.iter());
    borrowed(raw.request, &parts);
    answered(4, parts.len(), reply);
}

fn sent((Header(token), Json(note), raw): Sent<'_>, reply: &mut Reply<'_>) {
    let mut parts = vec![token.token, note.text, note.place.expect("it was sent").city];
    parts.extend(note.tags.iter());
    borrowed(raw.request, &parts);
    answered(5, parts.len(), reply);
}

fn answered(want: usize, parts: usize, reply: &mut Reply<'_>) {
    assert_eq!(parts, want);
    reply.json(|out| write!(out, "{{\"parts\":{parts}}}"));
}

/// An application that says what it copied when it has answered.
fn keeping() -> impl Service {
    let mut app = App::new("Keeping");
    app.get::<Seen<'_>>("/names/{name}", seen).unwrap();
    app.post::<Sent<'_>>("/notes", sent).unwrap();
    let app = app.finish();
    move |request: &Request<'_>, reply: &mut Reply<'_>| {
        app.call(request, reply);
        ANSWERED.set(Some(meter::thread().bytes));
    }
}

/// Each part is longer than what is moved inline.
fn requests() -> Vec<u8> {
    let long = |name: &str| format!("{name}-that-is-longer-than-what-is-moved-inline");
    let [name, q, a, b] = ["name", "question", "tag", "other"].map(long);
    let get = get(&format!("/names/{name}?q={q}&tag={a}&x=y&tag={b}"));
    let note =
        format!(r#"{{"text": "Ä {name}", "place": {{"city": "{q}"}}, "tags": ["{a}", "{b}"]}}"#);
    [get, post("/notes", &note)].concat().repeat(3)
}

/// The receive block is memory that the test knows.
#[test]
fn every_part_that_a_handler_gets_lies_in_the_block_that_was_received() {
    let _alone = ALONE.lock().unwrap();
    let received = requests();
    let start = received.as_ptr().addr();
    *BLOCK.lock().unwrap() = start..start + received.len();
    let ((mut input, mut requests), (mut answers, mut said)) =
        (pipe(aqueduct::Options::default()), pipe(aqueduct::Options::default()));
    input.push(received).unwrap();
    input.try_flush().unwrap();
    let mut conversation = Conversation::new(&Options::default());
    let next = conversation.advance(&keeping(), &mut requests, &mut answers);
    *BLOCK.lock().unwrap() = 0..0;
    assert_eq!((next, conversation.heads()), (Next::Read(Wait::Request), 6));
    let view = said.try_read().unwrap().unwrap().into_view();
    let text = String::from_utf8(view.seq().to_contiguous().into_owned()).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 6, "{text}");
    let len = view.len();
    view.consume(len);
}

/// From the end of one answer to the next handler: sent, received, parsed, routed, read and checked.
#[test]
fn nothing_is_copied_up_to_the_handler() {
    let _alone = ALONE.lock().unwrap();
    let options = Options { pool: Pool::new(), ..Options::default() };
    let before = COPIED.each_ref().map(|count| count.load(Relaxed));
    served(keeping(), options, |socket| {
        for _ in 0..200 {
            socket.write_all(&requests()).unwrap();
            let (mut bytes, mut some) = (Vec::new(), [0_u8; 4096]);
            while bytes.windows(9).filter(|part| part == br#"{"parts":"#).count() < 6 {
                let got = socket.read(&mut some).unwrap();
                assert!(got > 0, "it hung up");
                bytes.extend(&some[..got]);
            }
            // The last is whole.
            assert!(bytes.ends_with(b"}"));
        }
    });
    let after = COPIED.each_ref().map(|count| count.load(Relaxed));
    // Before the first there was none.
    assert_eq!((after[0] - before[0], after[1] - before[1]), (0, 200 * 6 - 1));
}

/// Both use what is static here.
static ALONE: Mutex<()> = Mutex::new(());
