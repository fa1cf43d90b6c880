//! The task that connects a client, and connects it again.

use crate::{
    Address, Options,
    calls::Calls,
    connection::Connection,
    stream::Stream,
    zmtp::{self, Fault},
};
use aqueduct::Reader;
use std::{future::poll_fn, sync::Arc, time::Duration};
use tokio::time::sleep;

/// How long to wait before the second attempt; twice as long before each further one.
const FIRST_DELAY: Duration = Duration::from_millis(10);
/// And no longer than this.
const LONGEST_DELAY: Duration = Duration::from_secs(1);

/// Until it is aborted.
pub(crate) async fn run(calls: Arc<Calls>, sending: Reader, address: Address, options: Options) {
    tokio::select! {
        () = calls.expire() => {}
        () = drive(&calls, sending, &address, &options) => {}
    }
}

async fn drive(calls: &Arc<Calls>, mut sending: Reader, address: &Address, options: &Options) {
    let mut delay = FIRST_DELAY;
    loop {
        let Ok(mut connection) = connect(address, options).await else {
            sleep(delay).await;
            delay = (delay * 2).min(LONGEST_DELAY);
            continue;
        };
        delay = FIRST_DELAY;
        calls.connected();
        let mut side = Arc::clone(calls);
        poll_fn(|context| connection.poll(context, &mut side, &mut sending, true)).await;
        let Some(next) = calls.lost() else { return };
        sending = next;
    }
}

async fn connect(address: &Address, options: &Options) -> Result<Connection, Fault> {
    let stream = Stream::connect(address, &options.pool).await?;
    Connection::open(stream, options.own(zmtp::DEALER), options).await
}
