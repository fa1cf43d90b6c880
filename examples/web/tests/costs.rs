//! "0 allocations per GET", "0 payload bytes copied up to the handler", and what one request can cost.

#![allow(clippy::disallowed_methods, reason = "tests copy what they compare")]

use aqueduct::{Pool, pipe};
use aqueduct_testkit::CountingAlloc;
use web::{App, Conversation, Json, Mode, Options, Service, demo::demo, model::List};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// What the bytes are answered with, in one pipe and out of another.
struct Talk {
    conversation: Conversation,
    input: (aqueduct::Writer, aqueduct::Reader),
    output: (aqueduct::Writer, aqueduct::Reader),
}

impl Talk {
    fn new() -> Self {
        let pipes = || pipe(aqueduct::Options::builder().pool(&Pool::new()).build().unwrap());
        let conversation = Conversation::new(&Options::default());
        Self { conversation, input: pipes(), output: pipes() }
    }

    /// How long the answers are.
    fn say(&mut self, service: &impl Service, bytes: &[u8]) -> usize {
        self.input.0.write(bytes).unwrap();
        self.input.0.try_flush().unwrap();
        let mut all = 0;
        loop {
            let next = self.conversation.advance(service, &mut self.input.1, &mut self.output.0);
            if let Ok(Some(read)) = self.output.1.try_read() {
                let view = read.into_view();
                let len = view.len();
                all += len;
                view.consume(len);
            }
            if next != web::Next::Write {
                return all;
            }
        }
    }
}

fn allocations(request: &[u8]) -> f64 {
    let service = demo(Mode::ZeroCopy).unwrap().finish();
    let mut talk = Talk::new();
    (0..500).for_each(|_| _ = talk.say(&service, request));
    let before = CountingAlloc::thread().allocations;
    (0..1000).for_each(|_| _ = talk.say(&service, request));
    (CountingAlloc::thread().allocations - before) as f64 / 1000.0
}

#[test]
fn no_get_of_the_demonstration_allocates() {
    for path in [
        "/",
        "/health",
        "/users/7",
        "/items/5?skip=1",
        "/search?tag=a",
        "/headers",
        "/openapi.json",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nx-token: abc\r\n\r\n");
        assert!(
            allocations(request.as_bytes()) < 0.05,
            "{path}: {}",
            allocations(request.as_bytes())
        );
    }
}

web::model! { struct Point { x: f64, y: f64, z: f64, t: f64 } }
web::model! { struct Points<'a> { points: List<'a, Point> } }

/// A body within the limit of 1 MiB, and what its 422 needs.
#[test]
fn an_answer_to_a_small_body_is_not_a_hundred_times_as_large() {
    let mut app = App::new("a");
    app.post::<Json<Points<'_>>>("/", |_, reply| reply.empty()).unwrap();
    let service = app.finish();
    let body = format!(r#"{{"points":[{}]}}"#, ["{}"; 20_000].join(","));
    let request = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let before = CountingAlloc::thread();
    let answer = Talk::new().say(&service, request.as_bytes());
    let used = CountingAlloc::thread() - before;
    assert!(answer < 20 * request.len(), "{} bytes ask, {answer} answer, {used:?}", request.len());
}

/// What one request wanted is not kept for ever: nine in ten bytes of it are never used again.
#[test]
fn a_thread_does_not_keep_what_its_worst_request_needed() {
    let service = demo(Mode::ZeroCopy).unwrap().finish();
    let body = format!(r#"{{"customer":{{"zz":[{}]}}}}"#, ["1E15"; 200_000].join(","));
    let post = |body: &str| {
        format!(
            "POST /orders HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let (large, small) = (post(&body), post("{}"));
    let live = || {
        let tally = CountingAlloc::thread();
        i64::try_from(tally.bytes).unwrap() - i64::try_from(tally.bytes_freed).unwrap()
    };
    Talk::new().say(&service, small.as_bytes());
    let before = live();
    Talk::new().say(&service, large.as_bytes());
    (0..1000).for_each(|_| _ = Talk::new().say(&service, small.as_bytes()));
    let kept = live() - before;
    assert!(kept < 2 << 20, "{kept} bytes kept after a body of {}", body.len());
}
