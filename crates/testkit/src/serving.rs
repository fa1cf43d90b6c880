//! A server on a thread of its own, for as long as its test.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

/// A thread that serves until `S` is dropped. That is at the latest when this is, which waits for its end: a
/// panic over there fails the test.
#[derive(Debug)]
pub struct Serving<S, T = ()> {
    stop: Option<S>,
    thread: Option<JoinHandle<T>>,
}

impl<S, T: Send + 'static> Serving<S, T> {
    /// Has `serve` run on a new thread, and waits until it has told where.
    ///
    /// # Panics
    ///
    /// When it ends without having told.
    pub fn start<A: Send + 'static>(
        stop: S,
        serve: impl FnOnce(Sender<A>) -> T + Send + 'static,
    ) -> (A, Self) {
        let (tell, told) = channel();
        let thread = thread::spawn(move || serve(tell));
        (told.recv().expect("it serves"), Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl<S, T> Serving<S, T> {
    /// Does not wait for the end.
    pub fn tell_to_stop(&mut self) {
        self.stop = None;
    }

    /// Whether the thread has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Stops it, and gives what it gave: once, and not to a test that is failing.
    ///
    /// # Panics
    ///
    /// With its panic.
    pub fn end(&mut self) -> Option<T> {
        self.stop = None;
        let ended = self.thread.take()?.join();
        if thread::panicking() { None } else { Some(ended.expect("the server does not panic")) }
    }
}

impl<S, T> Drop for Serving<S, T> {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving(ends: impl FnOnce() -> u8 + Send + 'static) -> Serving<Sender<()>, u8> {
        let (stop, stopped) = channel::<()>();
        let (address, serving) = Serving::start(stop, move |tell| {
            tell.send("here").expect("it is waited for");
            stopped.recv().expect_err("nobody sends");
            ends()
        });
        assert_eq!(address, "here");
        serving
    }

    #[test]
    fn it_serves_until_it_is_told() {
        let mut serving = serving(|| 7);
        assert!(!serving.is_over());
        assert_eq!((serving.end(), serving.end(), serving.is_over()), (Some(7), None, true));
    }

    #[test]
    #[should_panic(expected = "does not panic")]
    fn its_panic_is_the_tests() {
        drop(serving(|| panic!("over there")));
    }
}
