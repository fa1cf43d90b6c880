//! Servers on threads of their own, and runtimes.

use aqueduct::Pool;
use std::{
    future::Future,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use uvrpc::{Address, Listener, Mode, Options, Services, serve};

pub const MODES: [Mode; 2] = [Mode::ZeroCopy, Mode::Copying];

/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Any port of this machine's own.
pub const ANY: &str = "tcp://127.0.0.1:0";

/// A server on a thread of its own, with blocks of its own, all of which come back.
pub struct Served {
    pub address: Address,
    pub pool: Pool,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub fn new(address: &str, options: Options) -> Self {
        Self::with(address, Services::demo(), options)
    }

    pub fn with(address: &str, services: Services, options: Options) -> Self {
        let ((stop, stopped), (tell, told)) = (oneshot::channel::<()>(), mpsc::channel());
        let address: Address = address.parse().unwrap();
        let pool = Pool::new();
        let options = Options { pool: pool.clone(), ..options };
        let thread = std::thread::spawn(move || {
            // As long as its test: it is told to stop.
            runtime().block_on(async move {
                let listener = Listener::bind(&address).await.unwrap();
                tell.send(listener.address().unwrap()).unwrap();
                serve(listener, Arc::new(services), options, stopped).await;
            });
        });
        Self { address: told.recv().unwrap(), pool, stop: Some(stop), thread: Some(thread) }
    }

    pub fn tell_to_stop(&mut self) {
        drop(self.stop.take());
    }

    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.unwrap();
                // Clients of the same process may still hold what came through a pair of pipes.
                wait_for(|| self.pool.outstanding() == 0);
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Runs it, but not for ever.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(async {
        tokio::time::timeout(4 * PATIENCE, future).await.expect("it does not hang")
    })
}

/// Until it is so.
pub fn wait_for(so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "it does not come to be");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Options of a client that waits long enough.
pub fn patient() -> Options {
    Options { timeout: PATIENCE, ..Options::default() }
}
