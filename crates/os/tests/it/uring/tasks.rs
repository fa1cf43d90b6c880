//! Futures on tokio.

use super::{connected, file, ring, runtime};
use aqueduct_pool::Pool;
use aqueduct_slice::SliceMut;
use aqueduct_testkit::{Random, pattern};
use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};
use tokio::{
    task::{LocalSet, spawn_local},
    time::timeout,
};

#[test]
fn tokio_drives_it() {
    let Some(ring) = ring(8) else { return };
    let bytes = pattern(100_000, 2);
    let file = file(&bytes);
    let read = runtime().block_on(ring.run_until(async {
        let (read, block) = ring.read_at(&file, 10, 5000, SliceMut::with_capacity(5000)).await;
        assert_eq!(read.unwrap(), 5000);
        block
    }));
    assert_eq!(read.unwrap(), bytes[10..5010]);
}

#[test]
fn tasks_share_a_ring_and_give_up_at_random() {
    let Some(ring) = ring(16) else { return };
    let pool = Pool::builder().scrub(true).build().unwrap();
    let bytes = pattern(100_000, 11);
    let file = file(&bytes);
    let registered = ring.register(&pool, 3, 4096).unwrap();
    let provided = ring.provide(&pool, 4, 1000).unwrap();
    let mut random = Random::unlike_others();
    let tasks = LocalSet::new();
    let done = tasks.run_until(async {
        let mut all = Vec::new();
        for _ in 0..10 {
            let (ring, pool, file) = (ring.clone(), pool.clone(), Arc::clone(&file));
            let (registered, provided, bytes) =
                (registered.clone(), provided.clone(), bytes.clone());
            let mut random = Random::new(random.seed());
            all.push(spawn_local(async move {
                let (client, server) = connected();
                let server = Arc::new(server);
                for _ in 0..1000 {
                    let offset = random.below(90_000);
                    let patience = Duration::from_micros(random.below(60) as u64);
                    match random.below(6) {
                        0 => drop(ring.read_at(&file, 0, 4096, pool.get(4096))),
                        1 => {
                            let op = ring.read_at(&file, offset as u64, 4096, pool.get(4096));
                            if let Ok((read, block)) = timeout(patience, op).await {
                                assert_eq!(block, bytes[offset..][..read.unwrap()]);
                            }
                        }
                        2 => {
                            let op = registered.read_at(&file, offset as u64, 4096);
                            if let Ok(slice) = timeout(patience, op).await {
                                assert_eq!(slice.unwrap(), bytes[offset..][..4096]);
                            }
                        }
                        3 => {
                            let op = ring.recv(&server, pool.get(1000));
                            drop(timeout(patience, op).await);
                        }
                        4 => {
                            let mut receive = provided.receive(&server);
                            (&client).write_all(&bytes[..random.below(3000)]).unwrap();
                            drop(timeout(patience, receive.next()).await);
                        }
                        _ => tokio::task::yield_now().await,
                    }
                }
            }));
        }
        for task in all {
            task.await.unwrap();
        }
    });
    runtime().block_on(ring.run_until(done)).unwrap();
    drop((tasks, ring, registered, provided));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn who_drives_may_change() {
    let Some(ring) = ring(8) else { return };
    let (reader, mut writer) = io::pipe().unwrap();
    let reader = Arc::new(reader);
    let read = || ring.read(&reader, 10, SliceMut::with_capacity(10));
    runtime().block_on(LocalSet::new().run_until(async {
        // Of two that drive at once one stays.
        let (op, other) = (read(), ring.clone());
        let task = spawn_local(async move { other.run_until(op).await.unwrap() });
        ring.run_until(tokio::task::yield_now()).await.unwrap();
        writer.write_all(b"first").unwrap();
        assert_eq!(&task.await.unwrap().1[..], b"first");
        // Nobody is left: who waits is told.
        let task = spawn_local(read());
        ring.run_until(async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            assert!(!task.is_finished());
        })
        .await
        .unwrap();
        let refused = timeout(Duration::from_secs(5), task).await.unwrap().unwrap().0.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Other);
    }));
}

#[test]
fn t11_debug_in_every_state() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    let file = file(b"bytes");
    let (client, server) = connected();
    let server = Arc::new(server);
    let (registered, provided) = (ring.register(&pool, 2, 10), ring.provide(&pool, 2, 10).unwrap());
    let mut receive = provided.receive(&server);
    let kept = registered.as_ref().unwrap().read_at(&file, 0, 10).wait().unwrap();
    let ops = [ring.read_at(&file, 0, 10, pool.get(10)), ring.recv(&server, pool.get(10))];
    let sends = (ring.send(&server, kept.clone()), ring.send_all(&server, kept));
    (&client).write_all(b"something").unwrap();
    let come = receive.wait_next().unwrap();
    let sender = ring.sender(&server);
    let all = format!(
        "{ring:?} {registered:?} {provided:?} {receive:?} {ops:?} {sends:?} {sender:?} {come:?}"
    );
    assert!(all.contains("operations: 5"), "{all}");
}
