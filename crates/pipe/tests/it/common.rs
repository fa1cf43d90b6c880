//! Polling by hand, and short ways to say what the tests say often.

use aqueduct_pipe::{Options, PipeError, PipeErrorKind, Read, Reader, View, Writer, pipe};
use aqueduct_pool::Pool;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A waker that counts.
#[derive(Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    pub fn new() -> (Arc<Wakes>, Waker) {
        let wakes = Arc::new(Wakes::default());
        (Arc::clone(&wakes), Waker::from(Arc::clone(&wakes)))
    }

    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls a future once, and drops it.
pub fn once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// What a future that need not wait gives.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match once(future) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

/// Whether a future waits.
pub fn waits<T>(future: impl Future<Output = T>) -> bool {
    once(future).is_pending()
}

pub fn bytes(view: &View<'_>) -> Vec<u8> {
    view.seq().to_contiguous().into_owned()
}

/// The reader of a pipe with these bytes in it, whose writer has finished.
pub fn holding(bytes: &[u8]) -> Reader {
    let (mut writer, reader) = pipe(Options::default());
    writer.write(bytes).expect("room");
    writer.finish();
    reader
}

/// What a read that need not wait lends, and that it is data.
pub fn data(reader: &mut Reader) -> View<'_> {
    match now(reader.read()).expect("no error") {
        Read::Data(view) => view,
        other => panic!("not data: {other:?}"),
    }
}

pub fn eof(reader: &mut Reader) -> View<'_> {
    match now(reader.read()).expect("no error") {
        Read::Eof(view) => view,
        other => panic!("not the end: {other:?}"),
    }
}

pub fn is_closed(error: &PipeError) -> bool {
    matches!(error.kind(), PipeErrorKind::Closed)
}

/// The text of the other half's error.
pub fn cause(error: &PipeError) -> String {
    match error.kind() {
        PipeErrorKind::Failed(cause) => cause.to_string(),
        other => panic!("not the other half's error: {other:?}"),
    }
}

/// Writes and flushes; whether the flush waits.
pub fn flush(writer: &mut Writer, bytes: &[u8]) -> bool {
    writer.write(bytes).expect("room");
    writer.try_flush().expect("a reader").is_none()
}

pub fn paced(pause: usize, resume: usize) -> (Writer, Reader) {
    pipe(Options::builder().pause(pause).resume(resume).build().expect("sensible"))
}

pub fn small_segments(first: usize, largest: usize) -> (Writer, Reader) {
    pipe(Options::builder().segments(first, largest).build().expect("sensible"))
}

/// A pool that has succeeded none of another test, whose threads may end just now: what is out is in use.
pub fn own_pool() -> Pool {
    static TESTS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static TEST: usize = TESTS.fetch_add(1, Ordering::Relaxed);
    }
    // Other settings than any other test's.
    let keep = (64 << 20) + TEST.with(|test| test << 20);
    Pool::builder().keep_in_all(keep).build().expect("sensible")
}

/// A pipe whose pool tells what is in use.
pub fn counted() -> (Pool, Writer, Reader) {
    let pool = own_pool();
    let options = Options::builder().pool(&pool).segments(4096, 4096).build().expect("sensible");
    let (writer, reader) = pipe(options);
    (pool, writer, reader)
}

/// Fills the open segment, or a new one, to its end.
pub fn fill(writer: &mut Writer, byte: u8) -> usize {
    let mut slot = writer.reserve(1).expect("room");
    let len = slot.len();
    slot.room().fill(byte);
    slot.commit(len);
    len
}
