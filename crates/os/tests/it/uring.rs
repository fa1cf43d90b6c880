//! Operations of a ring against the ordinary calls.

use aqueduct_os::uring::{Receive, Ring, open_direct};
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{Random, pattern, scale, skip};
use std::{
    fs::File,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::{fs::FileExt, net::UnixStream},
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::{
    runtime::{Builder, Runtime},
    task::{LocalSet, spawn_local},
    time::timeout,
};

/// A ring, or a line that says why there is none.
fn ring(entries: u32) -> Option<Ring> {
    match Ring::new(entries) {
        Err(refused) if refused.kind() == io::ErrorKind::Unsupported => {
            skip(&refused.to_string());
            None
        }
        ring => Some(ring.unwrap()),
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A file without a name, which holds `bytes`.
fn file(bytes: &[u8]) -> Arc<File> {
    let path = path("data");
    let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    Arc::new(file)
}

/// In the folder for tests; the file is gone when the descriptor is.
fn path(name: &str) -> std::path::PathBuf {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("uring-{name}-{}-{number}", std::process::id()))
}

fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

#[test]
fn reads_are_those_of_pread() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    let bytes = pattern(300_000, 1);
    let file = file(&bytes);
    let registered = ring.register(&pool, 4, 64 << 10).unwrap();
    let mut random = Random::unlike_others();
    let mut kept = Vec::new();
    for _ in 0..scale(400) {
        let (offset, len) = (random.below(310_000), random.below(70_000));
        let mut expected = vec![0; len];
        let read = file.read_at(&mut expected, offset as u64).unwrap();
        expected.truncate(read);

        let (result, block) = ring.read_at(&file, offset as u64, len, pool.get(len)).wait();
        assert_eq!((result.unwrap(), &block[..]), (read, &expected[..]));
        let slice = registered.read_at(&file, offset as u64, len).wait().unwrap();
        assert_eq!(slice, expected[..read.min(64 << 10)]);
        kept.push(slice);
        if kept.len() > 6 {
            kept.swap_remove(random.below(7));
        }
    }
    drop((kept, ring, registered));
    assert_eq!(pool.outstanding(), 0);
}

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
fn few_places_and_many_operations() {
    // Two places for entries, four for completions: both queues are full most of the time.
    let Some(ring) = ring(2) else { return };
    let pool = Pool::builder().build().unwrap();
    let bytes = pattern(64 << 10, 3);
    let file = file(&bytes);
    let ops: Vec<_> = (0..300).map(|i| ring.read_at(&file, i * 100, 100, pool.get(100))).collect();
    for (i, op) in ops.into_iter().enumerate().rev() {
        let (read, block) = op.wait();
        assert_eq!((read.unwrap(), &block[..]), (100, &bytes[i * 100..][..100]));
    }
    drop(ring);
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn ends_of_files_and_empty_reads() {
    let Some(ring) = ring(2) else { return };
    let file = file(&pattern(5000, 4));
    let read = |offset, len, block| {
        let (read, block) = ring.read_at(&file, offset, len, block).wait();
        (read.unwrap(), block.len())
    };
    assert_eq!(read(4000, 4096, SliceMut::with_capacity(4096)), (1000, 1000));
    assert_eq!(read(5000, 4096, SliceMut::with_capacity(4096)), (0, 0));
    assert_eq!(read(1 << 40, 4096, SliceMut::with_capacity(4096)), (0, 0));
    assert_eq!(read(0, 0, SliceMut::with_capacity(4096)), (0, 0));
    assert_eq!(read(0, usize::MAX, SliceMut::with_capacity(10)), (10, 10));
    assert_eq!(read(0, 4096, SliceMut::new()), (0, 0));
    // Behind what is there.
    let mut block = SliceMut::with_capacity(100);
    block.extend_from_slice(b"front");
    let (_, block) = ring.read_at(&file, 0, 3, block).wait();
    assert_eq!(block, [b"front", &pattern(3, 4)[..]].concat());
    // An error, with the block as it was.
    let closed = Arc::new(File::options().write(true).open("/dev/null").unwrap());
    let (refused, block) = ring.read_at(&closed, 0, 10, block).wait();
    assert_eq!(refused.unwrap_err().raw_os_error(), Some(9));
    assert_eq!(block.len(), 8);
}

#[test]
fn past_the_cache_where_there_is_a_way() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().alignment(4096).build().unwrap();
    let registered = ring.register(&pool, 2, 64 << 10).unwrap();
    let bytes = pattern(100_000, 5);
    let path = path("direct");
    std::fs::write(&path, &bytes).unwrap();
    let (file, direct) = open_direct(&path).unwrap();
    if !direct {
        skip("the file system has no O_DIRECT: read through the cache");
    }
    let file = Arc::new(file);
    for offset in (0..28 * 4096).step_by(4096) {
        let expected = &bytes[offset.min(bytes.len())..];
        let expected = &expected[..expected.len().min(8192)];
        let (read, block) = ring.read_at(&file, offset as u64, 8192, pool.get(8192)).wait();
        assert_eq!((read.unwrap(), &block[..]), (expected.len(), expected));
        assert_eq!(registered.read_at(&file, offset as u64, 8192).wait().unwrap(), *expected);
    }
    std::fs::remove_file(path).unwrap();
    // A file system without.
    let (proc, direct) = open_direct("/proc/self/maps").unwrap();
    assert!(!direct);
    let (read, _) = ring.read(&Arc::new(proc), 100, pool.get(100)).wait();
    assert_eq!(read.unwrap(), 100);
}

#[test]
fn the_file_is_the_one_that_was_given() {
    let Some(ring) = ring(8) else { return };
    let (first, second) = (file(b"first"), file(b"second"));
    // Nothing was submitted yet, and nobody but the operation has the file any more.
    let op = ring.read_at(&first, 0, 10, SliceMut::with_capacity(10));
    drop(first);
    let others: Vec<_> = (0..10).map(|_| second.try_clone().unwrap()).collect();
    assert_eq!(&op.wait().1[..], b"first");
    drop(others);
}

#[test]
fn registered_blocks_come_back_in_any_order() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    let bytes = pattern(64 << 10, 6);
    let file = file(&bytes);
    let registered = ring.register(&pool, 3, 4096).unwrap();
    let held = pool.outstanding();
    assert_eq!(held, 3);
    let mut random = Random::new(7);
    let mut kept: Vec<(usize, Slice)> = Vec::new();
    for _ in 0..scale(500) {
        let offset = random.below(60_000);
        kept.push((offset, registered.read_at(&file, offset as u64, 4096).wait().unwrap()));
        if random.one_in(3) || kept.len() > 5 {
            kept.swap_remove(random.below(kept.len()));
        }
        for (offset, slice) in &kept {
            assert_eq!(*slice, bytes[*offset..][..4096]);
        }
    }
    // Others of the pool served while all three were out; they have gone back.
    kept.truncate(1);
    assert!(pool.outstanding() <= held + 1);
    // Addresses repeat: with nothing kept, three blocks serve.
    kept.clear();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        seen.insert(registered.read_at(&file, 0, 4096).wait().unwrap().as_ptr());
    }
    assert!(seen.len() <= 3);
    assert_eq!(ring.register(&pool, 1, 4096).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    // Slices outlive the ring.
    let last = registered.read_at(&file, 5, 4096).wait().unwrap();
    drop((ring, registered));
    assert_eq!(last, bytes[5..4101]);
    drop(last);
    assert_eq!(pool.outstanding(), 0);
}

/// Sends `bytes` in pieces of random sizes, with pauses.
fn in_pieces(mut socket: TcpStream, bytes: Vec<u8>, mut random: Random) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(1 + random.below(9000)));
            socket.write_all(piece).unwrap();
            rest = more;
            if random.one_in(20) {
                thread::sleep(Duration::from_micros(300));
            }
        }
    })
}

#[test]
fn sockets_receive_into_blocks_that_the_kernel_chooses() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    // Few blocks for many sockets: they run out all the time.
    let provided = ring.provide(&pool, 4, 2000).unwrap();
    let mut random = Random::unlike_others();
    let mut senders = Vec::new();
    let mut receivers = Vec::new();
    for i in 0..6 {
        let (client, server) = connected();
        server.set_nonblocking(i % 2 == 0).unwrap();
        let bytes = pattern(200_000 + i, i);
        senders.push(in_pieces(client, bytes.clone(), Random::new(random.seed())));
        receivers.push((provided.receive(&Arc::new(server)), bytes));
    }
    let tasks = LocalSet::new();
    for (mut receive, bytes) in receivers {
        tasks.spawn_local(async move {
            let mut come = 0;
            while let Some(slice) = receive.next().await.unwrap() {
                assert!(!slice.is_empty() && slice.len() <= 2000);
                assert_eq!(slice, bytes[come..][..slice.len()]);
                come += slice.len();
            }
            assert_eq!(come, bytes.len());
            assert!(receive.next().await.unwrap().is_none());
        });
    }
    runtime().block_on(ring.run_until(tasks)).unwrap();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    drop((ring, provided));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn who_does_not_take_leaves_the_socket_alone() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    let provided = ring.provide(&pool, 8, 4096).unwrap();
    let before = pool.outstanding();
    let (mut client, server) = connected();
    let mut receive = provided.receive(&Arc::new(server));
    client.set_nonblocking(true).unwrap();
    let bytes = pattern(1 << 20, 8);
    let mut sent = client.write(&bytes).unwrap();
    let first = receive.wait_next().unwrap().unwrap();
    // Another operation has the ring go on meanwhile.
    let file = file(b"x");
    for _ in 0..300 {
        sent += client.write(&bytes[sent..]).unwrap_or(0);
        let _ = ring.read_at(&file, 0, 1, SliceMut::with_capacity(1)).wait();
    }
    assert!(pool.outstanding() <= before + 8, "{} blocks wait", pool.outstanding() - before);
    client.set_nonblocking(false).unwrap();
    let rest = bytes[sent..].to_vec();
    let sender = thread::spawn(move || client.write_all(&rest).unwrap());
    let mut come = first.len();
    assert_eq!(first, bytes[..come]);
    while let Some(slice) = receive.wait_next().unwrap() {
        assert_eq!(slice, bytes[come..][..slice.len()]);
        come += slice.len();
    }
    assert_eq!(come, bytes.len());
    sender.join().unwrap();
}

#[test]
fn a_reset_is_an_error_and_then_the_end() {
    let Some(ring) = ring(8) else { return };
    let provided = ring.provide(Pool::global(), 2, 4096).unwrap();
    let (client, server) = connected();
    (&server).write_all(b"never read").unwrap();
    let mut receive = provided.receive(&Arc::new(server));
    thread::sleep(Duration::from_millis(5));
    drop(client); // with bytes that it has not read
    let refused = receive.wait_next().unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionReset);
    assert!(receive.wait_next().unwrap().is_none());
    let refused = ring.provide(Pool::global(), 3, 4096).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
}

fn received(mut socket: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        socket.read_to_end(&mut all).unwrap();
        all
    })
}

#[test]
fn slices_are_sent_whole() {
    let Some(ring) = ring(8) else { return };
    let (client, server) = connected();
    let (server, all) = (Arc::new(server), received(client));
    let bytes = Slice::from(pattern(3 << 20, 9));
    assert_eq!(ring.send(&server, bytes.clone()).wait().unwrap(), bytes.len());
    assert_eq!(ring.send(&server, Slice::from_static(b"short")).wait().unwrap(), 5);
    assert_eq!(ring.send(&server, Slice::copy_from_slice(b"inline")).wait().unwrap(), 6);
    let parts = [&b"a"[..], b"", b"inline", b"of static memory, and long"];
    let parts: Sequence = parts.into_iter().map(Slice::copy_from_slice).collect();
    let many: Sequence =
        (0..700).flat_map(|i| [bytes.slice(i..i + 100), bytes.slice(..3)]).collect();
    assert_eq!(ring.send_all(&server, parts.clone()).wait().unwrap(), parts.len());
    let sent = ring.send_all(&server, many.clone()).wait().unwrap();
    assert_eq!(sent, 512 * 103, "of 1024 slices");
    drop((server, ring));
    let mut expected = bytes.to_vec();
    expected.extend_from_slice(b"shortinline");
    expected.extend_from_slice(&parts.as_ref().to_contiguous());
    expected.extend_from_slice(&many.slice(..sent).as_ref().to_contiguous());
    assert!(all.join().unwrap() == expected);
}

#[test]
fn a_sender_stops_trying_where_the_kernel_copies() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    let bytes = pattern(100_000, 10);
    let filled = || {
        let mut block = pool.get(bytes.len());
        block.extend_from_slice(&bytes);
        block.freeze()
    };
    let (client, server) = connected();
    let all = received(client);
    let server = Arc::new(server);
    let sender = ring.sender(&server);
    let known = sender.is_zero_copy();
    assert_eq!(sender.send(bytes[..100].to_vec()).wait().unwrap(), 100);
    assert_eq!(sender.is_zero_copy(), known, "nothing was tried");
    // To this machine itself it copies, and says so once the peer has received.
    let mut times = 0;
    while times < 20 || sender.is_zero_copy() {
        assert_eq!(sender.send(filled()).wait().unwrap(), bytes.len());
        times += 1;
        assert!(times < 10_000, "it goes on trying");
    }
    drop(sender);
    let (client, other) = UnixStream::pair().unwrap();
    let unix = received(client);
    let other = Arc::new(other);
    let sender = ring.sender(&other);
    assert_eq!(sender.send(filled()).wait().unwrap(), bytes.len());
    assert!(!sender.is_zero_copy(), "no such thing with this kind of socket");
    drop((sender, server, other, ring));
    assert_eq!(all.join().unwrap().len(), 100 + times * bytes.len());
    assert!(unix.join().unwrap() == bytes);
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn files_are_written_from_slices() {
    let Some(ring) = ring(8) else { return };
    let file = file(b"");
    let parts = [&b"one "[..], b"and a slice that is too long for a handle "];
    let parts: Sequence = parts.into_iter().map(Slice::copy_from_slice).collect();
    assert_eq!(ring.write_at(&file, 3, parts.clone()).wait().unwrap(), parts.len());
    let mut all = vec![0; 100];
    let read = file.read_at(&mut all, 0).unwrap();
    assert_eq!(all[..read], [&b"\0\0\0"[..], &parts.as_ref().to_contiguous()].concat());
    // A full disk.
    let full = Arc::new(File::options().write(true).open("/dev/full").unwrap());
    let refused = ring.write_at(&full, 0, parts).wait().unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
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
