//! Rings that are small, old kernels, little memory to lock, and owners that panic.

use super::path;
use crate::refuted::in_time;
use aqueduct_os::{
    ZeroCopyChoice,
    uring::{Ring, open_direct},
};
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{all_but, panics, pattern, skip};
use std::{
    env,
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::OpenOptionsExt,
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

fn connected() -> (Arc<TcpStream>, Arc<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (Arc::new(client), Arc::new(listener.accept().unwrap().0))
}

/// `wait` must not sleep for those operations for which there was room while its own is in memory.
#[test]
fn waiting_operations_reach_the_kernel_however_small_the_ring_is() {
    for entries in [1, 4] {
        let read = in_time(move || {
            let ring = Ring::new(entries).unwrap();
            let idle: Vec<_> = (0..entries).map(|_| connected()).collect();
            let receiving: Vec<_> = idle
                .iter()
                .map(|(socket, _)| ring.recv(socket, SliceMut::with_capacity(10)))
                .collect();
            let zero = Arc::new(File::open("/dev/zero").unwrap());
            let (read, _) = ring.read_at(&zero, 0, 10, SliceMut::with_capacity(10)).wait();
            drop(receiving);
            read.unwrap()
        });
        assert_eq!(read, Some(10), "none: it sleeps for ever; {entries} entries");
    }
}

/// `u64::MAX` is the kernel's word for where the file stands. As an offset it is an error, as it is
/// for `pread` and `pwrite`.
#[test]
fn an_offset_past_the_end_of_all_files_is_refused() {
    let path = path("offset");
    fs::write(&path, b"0123456789").unwrap();
    let file = Arc::new(File::options().read(true).write(true).open(&path).unwrap());
    fs::remove_file(&path).unwrap();
    let ring = Ring::new(4).unwrap();
    let written = ring.write_at(&file, u64::MAX, Slice::from_static(b"XXXX")).wait();
    let mut now = String::new();
    (&*file).seek(SeekFrom::Start(0)).unwrap();
    (&*file).read_to_string(&mut now).unwrap();
    assert_eq!(now, "0123456789", "written over, and said: {written:?}");
    (&*file).seek(SeekFrom::Start(0)).unwrap();
    let (read, _) = ring.read_at(&file, u64::MAX, 10, SliceMut::with_capacity(10)).wait();
    assert!(read.is_err(), "{read:?}");
}

/// Blocks that were read at a file's end, or short of it, are as good as new.
#[test]
fn registered_blocks_survive_the_end_of_a_file() {
    let path = path("registered");
    fs::write(&path, pattern(8192, 1)).unwrap();
    let file = Arc::new(File::open(&path).unwrap());
    fs::remove_file(&path).unwrap();
    let ring = Ring::new(4).unwrap();
    let pool = Pool::builder().smallest_block(4096).largest_block(4096).build().unwrap();
    let registered = ring.register(&pool, 2, 4096).unwrap();
    for offset in [8192, 8190, 8192, 8100, 8192, 8192] {
        drop(registered.read_at(&file, offset, 4096).wait().unwrap());
        assert_eq!(pool.outstanding(), 2, "a block that the kernel knows went back to its pool");
    }
    assert_eq!(registered.read_at(&file, 0, 4096).wait().unwrap().len(), 4096);
}

/// Blocks for which their pool has no room, at each of them, are of the heap, and as good.
#[test]
fn t02_a_pool_that_refuses_the_kth_block() {
    let bytes = pattern(40_000, 3);
    for left in 0.. {
        let Some(ring) = super::ring(8) else { return };
        let blocks = Pool::builder().smallest_block(4096).largest_block(4096);
        let pool = blocks.hard_limit(256 << 10).build().unwrap();
        let held = all_but(left, || pool.try_get(4096).ok());
        let (registered, provided) =
            (ring.register(&pool, 3, 4096).unwrap(), ring.provide(&pool, 4, 4096).unwrap());
        let file = super::file(&bytes);
        // All are kept, so that each needs another block.
        let read: Sequence =
            (0..10).map(|at| registered.read_at(&file, at * 4096, 4096).wait().unwrap()).collect();
        assert!(read == bytes[..], "{left}");
        let (client, server) = connected();
        let mut receive = provided.receive(&server);
        let mut come = Sequence::new();
        for piece in bytes.chunks(4096) {
            (&*client).write_all(piece).unwrap();
            while come.len() < piece.len() || come.len() % 4096 != piece.len() % 4096 {
                come.push(receive.wait_next().unwrap().unwrap());
            }
        }
        assert!(come == bytes[..], "{left}");
        let refused = pool.stats().heap_fallbacks;
        drop((held, read, come, receive, registered, provided, ring));
        assert_eq!(pool.outstanding(), 0);
        if refused == 0 {
            assert!(left > 20, "{left}");
            return;
        }
    }
}

const OLD: &str = "AQUEDUCT_OS_OLD_KERNEL";

/// The child of the next test.
#[test]
fn a_child_on_an_old_kernel() {
    if env::var(OLD).is_ok() {
        println!("child: {:?}", Ring::new(4).map(drop).map_err(|refused| refused.kind()));
    }
}

/// Linux 5.1 to 5.5 have io_uring and no probe: `EINVAL`. Who looks for `Unsupported` reads
/// by `pread` there.
#[test]
fn a_kernel_without_the_probe_is_unsupported() {
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=io_uring_register:error=EINVAL"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "uring::limits::a_child_on_an_old_kernel", "--nocapture"])
        .env(OLD, "1")
        .env("ASAN_OPTIONS", "detect_leaks=0")
        .output();
    let Ok(output) = output else { return skip("no strace") };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("child: Err(Unsupported)"), "{said}");
}

const CHILD: &str = "AQUEDUCT_OS_MEMLOCK";

/// The child of the next test.
#[test]
fn a_child_with_little_memory_to_lock() {
    if env::var(CHILD).is_err() {
        return;
    }
    let ring = Ring::new(4).unwrap();
    let (client, server) = connected();
    let mut block = Pool::global().get(256 << 10);
    block.resize(256 << 10, 7);
    let receiving = thread::spawn(move || {
        let mut got = vec![0; 256 << 10];
        (&*server).read_exact(&mut got).map(|()| got)
    });
    let choice = ZeroCopyChoice { local: true, ..Default::default() };
    let sent = ring.sender_with_choice(&client, choice).send(block.freeze()).wait();
    drop(client);
    println!("child: {sent:?}, {:?}", receiving.join().unwrap().map(|got| got.len()));
}

/// `ENOBUFS` of `SEND_ZC`: over the limit of locked memory. `ZeroCopySender` sends that call plainly.
#[test]
fn a_sender_that_may_not_lock_memory_sends_all_the_same() {
    let script = "ulimit -l 64 && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "uring::limits::a_child_with_little_memory_to_lock", "--nocapture"])
        .env(CHILD, "1")
        .env("ASAN_OPTIONS", "detect_leaks=0")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("Ok(262144), Ok(262144)"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

// As `uring::closing` within the crate, with public names alone.
struct Bad(Slice);

impl AsRef<[u8]> for Bad {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        panic!("an owner");
    }
}

#[test]
fn safe_code_alone_has_the_kernel_write_into_blocks_of_others() {
    const LEN: usize = 1 << 20;
    const READS: u64 = 256;
    let path = path("direct");
    fs::write(&path, pattern(64 * LEN, 1)).unwrap();
    File::open(&path).unwrap().sync_all().unwrap();
    let (direct, fallback) = open_direct(&path).unwrap();
    if let Some(fallback) = fallback {
        return skip(&fallback.to_string());
    }
    let direct = Arc::new(direct);
    let mut options = File::options();
    let writable = Arc::new(options.write(true).custom_flags(0o40000).open(&path).unwrap());
    fs::remove_file(&path).unwrap();
    let zero = Arc::new(File::open("/dev/zero").unwrap());
    let canary = pattern(LEN, 5);
    let builder = Pool::builder().smallest_block(LEN).largest_block(LEN).alignment(4096);
    let pool = builder.keep_per_thread(1 << 30).keep_in_all(1 << 30).build().unwrap();
    for place in [8, 16, 32, 64, 128, 200] {
        let mut blocks: Vec<_> = (0..READS).map(|_| pool.get(LEN)).collect();
        blocks.iter_mut().for_each(|block| block.spare_mut().fill(0));
        let mut data = pool.get(LEN);
        data.resize(LEN, 1);
        let mut data = Some(Slice::from_owner(Bad(data.freeze())));
        let ring = Ring::new(512).unwrap();
        let (mut reads, mut write) = (Vec::new(), None);
        for (number, block) in (0..READS).zip(blocks) {
            if number == place {
                write = Some(ring.write_at(&writable, 0, data.take().unwrap()));
            }
            reads.push(ring.read_at(&direct, number % 64 * LEN as u64, LEN, block));
        }
        assert!(ring.read_at(&zero, 0, 1, SliceMut::with_capacity(1)).wait().0.is_ok());
        let _ = panics(move || {
            drop((write, reads));
            drop(ring);
        });
        let mut canaries: Vec<_> = (0..READS).map(|_| pool.get(LEN)).collect();
        canaries.iter_mut().for_each(|block| block.extend_from_slice(&canary));
        thread::sleep(Duration::from_millis(100));
        assert!(canaries.iter().all(|block| **block == *canary), "{place} before it");
    }
}
