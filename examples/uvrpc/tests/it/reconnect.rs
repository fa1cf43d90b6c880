//! Servers that come late, go, and come again.

use crate::peer::{ANY, Served, patient, run};
use std::{path::Path, time::Duration};
use uvrpc::{Address, CallError, Client, Listener, Options, Payload, await_all};

/// Stops it while the clients of this thread go on.
async fn stop(served: Served) {
    tokio::task::spawn_blocking(move || drop(served)).await.unwrap();
}

#[test]
fn calls_wait_for_a_server_that_comes_late_and_for_the_next_one() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("late.sock").display().to_string();
    for address in [format!("ipc://{path}"), "inproc://late".to_owned()] {
        run(async {
            let client = Client::connect(address.parse().unwrap(), patient());
            let first = client.begin("echo", "", Payload::from(b"early")).unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
            let served = Served::new(&address, Options::default());
            assert!(first.await.unwrap().data.unwrap() == b"early"[..]);
            stop(served).await;
            let lost = client.with_timeout(Duration::from_millis(100)).call("echo", "", None).await;
            assert!(matches!(lost, Err(CallError::Timeout | CallError::Lost)), "{lost:?}");
            let next = client.begin("echo", "", Payload::from(b"again")).unwrap();
            let _served = Served::new(&address, Options::default());
            assert!(next.await.unwrap().data.unwrap() == b"again"[..]);
            assert_eq!(client.stats().connections, 2);
        });
    }
}

#[test]
fn a_server_restarts_under_fifty_clients() {
    let mut served = Served::new(ANY, Options::default());
    let address = served.address.clone();
    run(async {
        let clients: Vec<_> =
            (0..50).map(|_| Client::connect(address.clone(), patient())).collect();
        for _ in 0..3 {
            let calls = clients.iter().map(|c| c.begin("echo", "", Payload::from(b"x")).unwrap());
            assert!(await_all(calls.collect::<Vec<_>>()).await.iter().all(Result::is_ok));
            stop(served).await;
            served = Served::new(&address.to_string(), Options::default());
            // Until each has noticed.
            let quick = |client: &Client| client.with_timeout(Duration::from_millis(500));
            for client in &clients {
                while quick(client).call("echo", "", None).await.is_err() {}
            }
        }
    });
}

#[test]
fn nobody_there_is_a_timeout() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    drop(listener);
    run(async {
        let options = Options { timeout: Duration::from_millis(100), ..Options::default() };
        let client = Client::connect(address.parse().unwrap(), options);
        assert_eq!(client.call("echo", "", None).await.unwrap_err(), CallError::Timeout);
        assert_eq!(client.stats().late, 0);
    });
}

#[test]
fn an_address_has_one_listener_at_a_time() {
    run(async {
        for address in ["inproc://one", "tcp://127.0.0.1:0"] {
            let first = Listener::bind(&address.parse().unwrap()).await.unwrap();
            let address = first.address().unwrap();
            assert!(Listener::bind(&address).await.is_err(), "{address}");
            drop(first);
            drop(Listener::bind(&address).await.unwrap());
        }
        assert_eq!("tcp://h:1".parse::<Address>().unwrap().to_string(), "tcp://h:1");
    });
}
