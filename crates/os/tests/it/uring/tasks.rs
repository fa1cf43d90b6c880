//! Futures on tokio.

use super::{connected, file, ring, runtime};
use aqueduct_pool::Pool;
use aqueduct_slice::SliceMut;
use aqueduct_testkit::{Random, pattern};
use std::{io::Write, sync::Arc, time::Duration};
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
