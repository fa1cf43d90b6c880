//! Servers on threads of their own, and runtimes.

use aqueduct::Pool;
use aqueduct_testkit::Serving;
use std::{
    future::Future,
    sync::Arc,
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
    pub serving: Serving<oneshot::Sender<()>>,
}

impl Served {
    pub fn new(address: &str, options: Options) -> Self {
        Self::with(address, Services::demo(), options)
    }

    pub fn with(address: &str, services: Services, options: Options) -> Self {
        let ((stop, stopped), pool) = (oneshot::channel(), Pool::new());
        let address: Address = address.parse().unwrap();
        let options = Options { pool: pool.clone(), ..options };
        let (address, serving) = Serving::start(stop, move |tell| {
            runtime().block_on(async move {
                let listener = Listener::bind(&address).await.unwrap();
                tell.send(listener.address().unwrap()).unwrap();
                serve(listener, Arc::new(services), options, stopped).await;
            });
        });
        Self { address, pool, serving }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.serving.end().is_some() {
            // Clients of the same process may still hold what came through a pair of pipes.
            wait_for(|| self.pool.outstanding() == 0);
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
