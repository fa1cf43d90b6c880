//! The adapters: each case of the reference's sections I, J and L, and streams that misbehave.
//!
// case 130: no meaning here: the writer rents; `reserve(n)` gives room in one piece, and a frame that lies in several is read where it lies.

mod blocking;
mod copying;
mod doubles;
mod errors;
mod filling;
mod flushing;
mod frames;
mod futures_traits;
mod hostile;
mod room;
mod sections;
mod sockets;
mod storm;
mod streams;
mod turns;

use aqueduct_pipe::{Options, OptionsBuilder, PipeError, PipeErrorKind, Reader};
use aqueduct_pool::Pool;
use std::{
    future::Future,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Polls a future once, and drops it.
fn once<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// What a future gives at once.
#[track_caller]
fn now<T>(future: impl Future<Output = T>) -> T {
    match once(future) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

#[track_caller]
fn waits<T>(future: impl Future<Output = T>) {
    assert!(once(future).is_pending(), "it does not wait");
}

/// Counts how often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Polls a future with a waker that counts, then does something that must wake it.
fn woken_by<T>(future: impl Future<Output = T>, act: impl FnOnce()) -> Poll<T> {
    let count = Arc::new(Woken::default());
    let waker = Waker::from(count.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    assert!(future.as_mut().poll(&mut context).is_pending(), "it does not wait");
    let before = count.0.load(SeqCst);
    act();
    assert!(count.0.load(SeqCst) > before, "nobody was woken");
    future.poll(&mut context)
}

/// A pipe's settings with a pool of its own, to count blocks in.
fn pooled() -> (OptionsBuilder, Pool) {
    let pool = Pool::new();
    (Options::builder().pool(&pool), pool)
}

/// Runs a test in a runtime of tokio's on this thread.
fn run<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test)
}

/// Takes all that is there out of a reader.
fn take_all(reader: &mut Reader) -> Vec<u8> {
    let Some(read) = reader.try_read().unwrap() else { return Vec::new() };
    let view = read.into_view();
    let bytes = view.seq().to_contiguous().into_owned();
    let len = view.len();
    view.consume(len);
    bytes
}

/// The pipe's error inside one of `std::io`.
fn inner(error: &io::Error) -> &PipeErrorKind {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<PipeError>());
    inner.expect("an error of the pipe").kind()
}

fn is_interrupt(error: &io::Error) -> bool {
    matches!(inner(error), PipeErrorKind::Interrupted)
}
