//! What servers that are programs have in common: one listener, threads, and the signals that end them.

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener},
    thread,
};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// Clients that may wait to be accepted, where the system allows as many. Those beyond come again in a
/// second, or three, and std's 128 are soon there when a thousand come at once.
const WAITING: i32 = 4096;

/// Listens for as many clients at once as come. For tokio to take over.
///
/// # Errors
///
/// The system's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    rustix::net::listen(&listener, WAITING)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The signals that end a program.
#[derive(Debug)]
pub struct Ending([Signal; 2]);

impl Ending {
    /// Catches them from here on, in a tokio runtime.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn catch() -> io::Result<Self> {
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]))
    }

    /// Waits for one of them.
    pub async fn come(&mut self) {
        let [interrupted, terminated] = &mut self.0;
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    }
}

/// A listener, and the signals that end a program, which are caught from here on.
#[derive(Debug)]
pub struct Program {
    listener: TcpListener,
    runtime: Runtime,
    ending: Ending,
}

impl Program {
    /// Listens, and prints where, behind `scheme`: a port of 0 is any.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn listen(scheme: &str, address: SocketAddr) -> io::Result<Self> {
        let listener = listen(address)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let within = runtime.enter();
        let ending = Ending::catch()?;
        drop(within);
        // Who reads may stop reading.
        let _ = writeln!(io::stdout(), "listening on {scheme}{}", listener.local_addr()?);
        Ok(Self { listener, runtime, ending })
    }

    /// Runs `work` on so many threads, each with a tokio of its own, until a signal comes: then each is
    /// told to stop. Gives what they gave.
    ///
    /// # Errors
    ///
    /// The system's, or that a thread panicked.
    pub fn run<T: Send>(
        self,
        threads: usize,
        work: impl AsyncFn(tokio::net::TcpListener, watch::Receiver<()>) -> io::Result<T> + Sync,
    ) -> io::Result<Vec<T>> {
        let Self { listener, runtime, mut ending } = self;
        let (stop, stopped) = watch::channel(());
        let worker = |listener: TcpListener, stopped: watch::Receiver<()>| {
            Builder::new_current_thread().enable_all().build()?.block_on(async {
                work(tokio::net::TcpListener::from_std(listener)?, stopped).await
            })
        };
        thread::scope(|scope| {
            let mut workers = Vec::new();
            for _ in 0..threads.max(1) {
                // One socket, of which each thread has a handle: the system wakes one of those that wait.
                let (listener, stopped) = (listener.try_clone()?, stopped.clone());
                workers.push(scope.spawn(|| worker(listener, stopped)));
            }
            drop(listener);
            runtime.block_on(ending.come());
            drop(stop); // which is what they wait for
            let ended = workers.into_iter().map(|worker| worker.join());
            ended.map(|done| done.map_err(|_| io::Error::other("a thread panicked"))?).collect()
        })
    }
}
