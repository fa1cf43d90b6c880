//! Callbacks that panic, runtimes that go away, files in the way.

use crate::peer::{ANY, Served, patient, run};
use std::{path::Path, sync::mpsc, time::Duration};
use uvrpc::{CallError, Client, Listener, Options, Payload, await_all};

#[test]
fn a_callback_that_panics_ends_nothing_else() {
    let served = Served::new(ANY, Options::default());
    let client = Client::connect_on_thread(served.address.clone(), patient()).unwrap();
    client.call_then("echo", "", None, |_| panic!("on purpose")).unwrap();
    let short = client.with_timeout(Duration::from_millis(20));
    short.call_then("slow", "", Payload::from(b"300"), |_| panic!("on purpose")).unwrap();
    assert!(client.call_blocking("slow", "", Payload::from(b"100")).unwrap().is_ok());
    assert_eq!(client.stats().connections, 1);
}

#[test]
fn a_client_whose_runtime_is_gone_says_so() {
    let served = Served::new(ANY, Options::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (client, slow) = runtime.block_on(async {
        let client = Client::connect(served.address.clone(), patient());
        assert!(client.call("echo", "", None).await.unwrap().is_ok());
        let slow = client.begin("slow", "", Payload::from(b"5000")).unwrap();
        (client, slow)
    });
    drop(runtime);
    run(async {
        let outcomes = tokio::time::timeout(Duration::from_secs(2), await_all([slow])).await;
        assert_eq!(outcomes.unwrap()[0].as_ref().unwrap_err(), &CallError::Closed);
        assert_eq!(client.call("echo", "", None).await.unwrap_err(), CallError::Closed);
    });
}

#[test]
fn a_file_where_a_socket_is_to_be_is_left_alone() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a thesis");
    std::fs::write(&path, b"years of work").unwrap();
    let address = format!("ipc://{}", path.display()).parse().unwrap();
    run(async { Listener::bind(&address).await.unwrap_err() });
    assert_eq!(std::fs::read(&path).unwrap(), b"years of work");
}

/// Calls that are made in a callback when the client is gone are refused.
#[test]
fn the_last_client_may_go_in_its_own_callback() {
    let served = Served::new(ANY, Options::default());
    let client = Client::connect_on_thread(served.address.clone(), patient()).unwrap();
    let (tell, told) = mpsc::channel();
    let mine = client.clone();
    client
        .call_then("slow", "", Payload::from(b"50"), move |outcome| {
            assert!(outcome.unwrap().is_ok());
            drop(mine);
            tell.send(()).unwrap();
        })
        .unwrap();
    let slow = client.begin("slow", "", Payload::from(b"3000")).unwrap();
    drop(client);
    told.recv_timeout(Duration::from_secs(2)).unwrap();
    run(async { assert_eq!(slow.await.unwrap_err(), CallError::Closed) });
}
