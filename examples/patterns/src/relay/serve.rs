//! [`serve()`]: who is accepted, and until when.

use std::{future::Future, io, pin::pin, sync::Arc};

use example_common::NO_MORE;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};

use super::{Options, Totals, connection::Spare};

/// Relays whoever connects, until `stop` is done: then nobody is accepted, and who is still connected after
/// the grace is cut off. One task for each connection.
///
/// When descriptors run out, clients wait to be accepted until others have ended.
///
/// # Errors
///
/// Options that make no sense.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    stop: impl Future,
) -> io::Result<Totals> {
    options.check()?;
    let options = Arc::new(options);
    let mut stop = pin!(stop);
    let (tell, told) = watch::channel(false);
    let (mut connections, mut totals, mut spare) = (JoinSet::new(), Totals::default(), None);
    loop {
        tokio::select! {
            biased;
            _ = &mut stop => break,
            Some(ended) = connections.join_next() => {
                let ended = of(ended);
                if let (None, Some(fallback)) = (totals.fallback, ended.fallback) {
                    // Once: it says the same of each of them.
                    eprintln!("relay: {fallback}");
                }
                totals += ended;
            }
            (client, spare) = accept(&listener, &mut spare, &options) => {
                let (options, told) = (Arc::clone(&options), told.clone());
                connections.spawn(async move { spare.relay(client, &options, told).await });
            }
        }
    }
    drop((listener, spare));
    let mut rest = async || {
        while let Some(ended) = connections.join_next().await {
            totals += of(ended);
        }
    };
    if timeout(options.grace, rest()).await.is_err() {
        let _ = tell.send(true);
        rest().await;
    }
    Ok(totals)
}

/// What a connection did. If it panicked, the others go on.
fn of(ended: Result<Totals, JoinError>) -> Totals {
    ended.unwrap_or(Totals { connections: 1, aborted: 1, ..Totals::default() })
}

/// Waits for the next client, and for the descriptors that it needs.
async fn accept(
    listener: &TcpListener,
    spare: &mut Option<Spare>,
    options: &Options,
) -> (TcpStream, Spare) {
    loop {
        if spare.is_none() {
            *spare = Spare::new(options).ok();
        }
        if spare.is_some()
            && let Ok((client, _)) = listener.accept().await
            && let Some(spare) = spare.take()
        {
            return (client, spare);
        }
        sleep(NO_MORE).await;
    }
}
