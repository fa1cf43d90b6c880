//! [`Door`]: who is let in, how many at once, and until when.

use std::{future::Future, io, pin::pin, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// How long to wait when no more connections can be had: others must end first.
pub const NO_MORE: Duration = Duration::from_millis(20);

/// How a server lets clients in.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// Connections at a time; others wait until one of these ends.
    pub connections: usize,
    /// From the stop until those that are left are dropped.
    pub stop: Duration,
}

impl Door {
    /// Has each whom `accept` gives served on a task of its own, until `stop` is done: then nobody is let in, and
    /// those who are there are told true.
    pub async fn open<L, S, F>(
        self,
        mut listener: L,
        accept: impl AsyncFn(&mut L) -> io::Result<S>,
        serve: impl Fn(S, watch::Receiver<bool>) -> F,
        stop: impl Future,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut stop = pin!(stop);
        let (tell, told) = watch::channel(false);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                _ = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = accept(&mut listener), if connections.len() < self.connections => {
                    match accepted {
                        Ok(socket) => drop(connections.spawn(serve(socket, told.clone()))),
                        Err(_) => sleep(NO_MORE).await,
                    }
                }
            }
        }
        drop(listener);
        let _ = tell.send(true);
        let all = async { while connections.join_next().await.is_some() {} };
        // Those that are left are dropped with their set.
        let _ = timeout(self.stop, all).await;
    }
}
