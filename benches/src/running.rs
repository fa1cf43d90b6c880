//! A server on a thread of its own, whose CPU time can be asked for.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::clock::thread_cpu;

/// Becomes ready, as an error, when the server is to stop.
pub type Stopped = oneshot::Receiver<()>;

/// Asks the server's thread for its CPU time.
type Question = SyncSender<u64>;

/// A server on a thread of its own; dropped, it stops.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    /// Some until it is dropped.
    questions: Option<UnboundedSender<Question>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// Binds a port of this machine and serves it on a new thread, on a runtime of that thread alone.
    ///
    /// # Errors
    ///
    /// When there is no port or no thread.
    pub fn start<F>(
        serve: impl FnOnce(TcpListener, Stopped) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = io::Result<()>>,
    {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (questions, asked) = unbounded_channel();
        let thread = thread::Builder::new().name("server".into()).spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let (stop, stopped) = oneshot::channel();
                tokio::spawn(answer(asked, stop));
                serve(TcpListener::from_std(listener)?, stopped).await
            })
        })?;
        Ok(Self { address, questions: Some(questions), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time that its thread has used so far, in nanoseconds.
    ///
    /// # Errors
    ///
    /// When it has ended by itself.
    pub fn cpu_ns(&self) -> io::Result<u64> {
        let gone = || io::Error::other("the server has ended");
        let (question, answer) = sync_channel(1);
        let questions = self.questions.as_ref().ok_or_else(gone)?;
        questions.send(question).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.questions = None;
        // How it ended matters to nobody any more: whoever measures has had all its answers.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Answers on the thread of the server until nobody can ask any more; with it goes `stop`.
async fn answer(mut asked: UnboundedReceiver<Question>, stop: oneshot::Sender<()>) {
    while let Some(question) = asked.recv().await {
        // Who has not waited for the answer does not want it.
        let _ = question.send(thread_cpu());
    }
    drop(stop);
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::net::TcpStream;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_clock_is_that_of_its_thread() {
        let server = Running::start(|_listener, stopped| async {
            // An error is the end.
            let _ = stopped.await;
            Ok(())
        })
        .expect("a port and a thread");
        let before = server.cpu_ns().expect("it runs");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(50) {
            black_box(begun);
        }
        let spent = server.cpu_ns().expect("it runs") - before;
        assert!(spent < 10_000_000, "{spent} ns while another thread worked");
    }

    #[test]
    fn dropped_it_listens_no_longer() {
        let server = Running::start(|listener, stopped| async move {
            // An error is the end.
            let _ = stopped.await;
            drop(listener);
            Ok(())
        })
        .expect("a port and a thread");
        let address = server.address();
        TcpStream::connect(address).expect("it listens");
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    fn one_that_has_ended_says_so() {
        let server = Running::start(|_, _| async { Err(io::Error::other("no")) }).expect("a port");
        let begun = Instant::now();
        while server.cpu_ns().is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(10), "it runs on");
        }
    }
}
