//! What a reviewer found: each of these fails until it is mended.

use aqueduct_os::{Method, SharedMemory, Step, Transfer, copy_file_range, sealed_slice};
use aqueduct_testkit::pattern;
use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process,
    sync::mpsc,
    thread,
    time::Duration,
};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("refuted-{name}-{}", process::id()))
}

/// What `work` gives on a thread of its own; none if that takes longer than two seconds.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (said, says) = mpsc::channel();
    thread::spawn(move || drop(said.send(work())));
    says.recv_timeout(Duration::from_secs(2)).ok()
}

/// `Readiness for File` is always ready. A step that finds a FIFO empty is repeated without an end, and
/// without a turn for the task that would fill it.
#[cfg(feature = "tokio")]
#[test]
fn a_file_that_is_a_pipe_does_not_stop_the_runtime() {
    let moved = in_time(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (exit, mut entry) = std::io::pipe().unwrap();
            let filling = async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                entry.write_all(b"late").unwrap();
            };
            let from = File::from(std::os::fd::OwnedFd::from(exit));
            let to = File::create("/dev/null").unwrap();
            let mut transfer = Transfer::by(Method::Splice, None);
            tokio::join!(transfer.run_async(&from, &to), filling).0.unwrap().bytes
        })
    });
    assert_eq!(moved, Some(4), "none: the runtime's thread spins");
}

/// `run` returns at once; the twin waits for a target that it has nothing for.
#[cfg(feature = "tokio")]
#[test]
fn a_transfer_of_nothing_waits_for_nobody() {
    let done = in_time(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let file = File::open("Cargo.toml").unwrap();
            let (to, _peer) = tokio::net::UnixStream::pair().unwrap();
            while to.try_write(&[0; 4096]).is_ok() {}
            aqueduct_os::send_file(0, 0).run_async(&file, &to).await.unwrap().bytes
        })
    });
    assert_eq!(done, Some(0));
}

/// The overlap check looks at the offset that was asked for; `O_APPEND` has another one.
#[test]
fn a_file_is_not_appended_to_itself_for_ever() {
    let path = path("append");
    fs::write(&path, pattern(100, 1)).unwrap();
    let from = File::open(&path).unwrap();
    let to = File::options().append(true).open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let mut transfer = copy_file_range(0, 0, None);
    for _ in 0..1000 {
        match transfer.step(&from, &to) {
            Ok(Step::End) | Err(_) => return,
            Ok(_) => {}
        }
    }
    panic!("{} bytes by now: it fills the disk", from.metadata().unwrap().len());
}

/// The builder's methods are there while bytes are inside.
#[test]
fn an_offset_that_changes_on_the_way_does_no_harm() {
    let from = File::open("Cargo.toml").unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut transfer = Transfer::by(Method::ThroughBlock, 100).from_offset(10);
    assert!(transfer.run(&from, &full).is_err());
    assert_eq!(transfer.pending(), 100);
    let mut transfer = transfer.from_offset(0);
    let offset = transfer.run(&from, &full).unwrap_err().offset(); // must not panic
    assert!(offset.is_none_or(|offset| offset < 1 << 20), "{offset:?}");
}

/// Whoever shares the open file, as those do who were sent the descriptor, shares its position.
#[test]
fn a_map_of_sealed_memory_does_not_move_a_readers_position() {
    let mut memory = SharedMemory::new().unwrap();
    let bytes = pattern(1 << 20, 3);
    memory.write_all(&bytes).unwrap();
    drop(memory.seal().unwrap());
    let fd = std::os::fd::AsFd::as_fd(&memory).try_clone_to_owned().unwrap();
    let mut reader = File::from(fd);
    reader.seek(SeekFrom::Start(0)).unwrap();
    let (stop, stopped) = mpsc::channel::<()>();
    let mapping = thread::spawn(move || {
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            drop(sealed_slice(&memory).unwrap());
        }
    });
    let mut wrong = None;
    for round in 0..20_000 {
        reader.seek(SeekFrom::Start(0)).unwrap();
        let mut got = vec![0; 4096];
        // One reader, which reads from the start on. Two calls, in the order of the file.
        let done =
            reader.read_exact(&mut got[..2048]).and_then(|()| reader.read_exact(&mut got[2048..]));
        if done.is_err() || got != bytes[..4096] {
            wrong = Some((round, done));
            break;
        }
    }
    drop(stop);
    mapping.join().unwrap();
    assert!(wrong.is_none(), "read other bytes: {wrong:?}");
}

#[cfg(all(feature = "tokio", feature = "io-uring", target_os = "linux"))]
mod ring {
    use super::*;
    use aqueduct_os::uring::Ring;
    use aqueduct_pool::Pool;
    use aqueduct_slice::{Slice, SliceMut};
    use std::{
        env,
        net::{TcpListener, TcpStream},
        process::Command,
        sync::Arc,
    };

    fn connected() -> (Arc<TcpStream>, Arc<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (Arc::new(client), Arc::new(listener.accept().unwrap().0))
    }

    /// `wait` sleeps in the kernel for those operations for which there was room, while its own is
    /// still in memory.
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
            assert_eq!(
                pool.outstanding(),
                2,
                "a block that the kernel knows went back to its pool"
            );
        }
        assert_eq!(registered.read_at(&file, 0, 4096).wait().unwrap().len(), 4096);
    }

    const OLD: &str = "AQUEDUCT_OS_OLD_KERNEL";

    /// The child of the next test.
    #[test]
    fn a_child_on_an_old_kernel() {
        if env::var(OLD).is_ok() {
            println!("child: {:?}", Ring::new(4).map(drop).map_err(|refused| refused.kind()));
        }
    }

    /// Linux 5.1 to 5.5 have io_uring and no probe: `EINVAL`. Who looks for `Unsupported` fails there
    /// instead of reading by `pread`.
    #[test]
    fn a_kernel_without_the_probe_is_unsupported() {
        let output = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=io_uring_register:error=EINVAL"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "refuted::ring::a_child_on_an_old_kernel", "--nocapture"])
            .env(OLD, "1")
            .env("ASAN_OPTIONS", "detect_leaks=0")
            .output();
        let Ok(output) = output else { return aqueduct_testkit::skip("no strace") };
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
        let sent = ring.sender(&client).send(block.freeze()).wait();
        drop(client);
        println!("child: {sent:?}, {:?}", receiving.join().unwrap().map(|got| got.len()));
    }

    /// `ENOBUFS` of `SEND_ZC`: over the limit of locked memory. `ZeroCopySender` sends that call plainly.
    #[test]
    fn a_sender_that_may_not_lock_memory_sends_all_the_same() {
        let script =
            "ulimit -l 64 && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"";
        let output = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "refuted::ring::a_child_with_little_memory_to_lock", "--nocapture"])
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
}

/// As `uring::refuted` within the crate, with public names alone.
#[cfg(all(feature = "tokio", feature = "io-uring", target_os = "linux"))]
mod ring_dropped {
    use super::*;
    use aqueduct_os::uring::{Ring, open_direct};
    use aqueduct_pool::Pool;
    use aqueduct_slice::{Slice, SliceMut};
    use aqueduct_testkit::{panics, skip};
    use std::{os::unix::fs::OpenOptionsExt, sync::Arc};

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
        fs::write(&path, pattern(LEN, 1).repeat(64)).unwrap();
        File::open(&path).unwrap().sync_all().unwrap();
        let (direct, past_the_cache) = open_direct(&path).unwrap();
        if !past_the_cache {
            return skip("no O_DIRECT");
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
}

/// A destructor that panics on its way lets go of what nobody has said is done: the next owner's bytes
/// would go to this peer. (`keeper.rs`, invariant 1.)
#[test]
fn a_socket_that_panics_keeps_what_is_in_flight() {
    use aqueduct_os::{ZeroCopyChoice, ZeroCopySender};
    use aqueduct_sequence::Sequence;
    use aqueduct_slice::Slice;
    use std::{
        net::{TcpListener, TcpStream},
        os::fd::{AsFd, BorrowedFd},
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering::Relaxed},
        },
    };

    struct Panicky(TcpStream, Arc<AtomicBool>);
    impl AsFd for Panicky {
        fn as_fd(&self) -> BorrowedFd<'_> {
            assert!(!self.1.load(Relaxed), "a socket");
            self.0.as_fd()
        }
    }
    struct Owner(Arc<Vec<u8>>);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let _peer = listener.accept().unwrap();
    let (panics, bytes) = (Arc::new(AtomicBool::new(false)), Arc::new(vec![1; 4096]));
    let choice = ZeroCopyChoice { least: 1, local: true };
    let mut sender =
        ZeroCopySender::with_choice(Panicky(socket, Arc::clone(&panics)), choice).unwrap();
    let mut data = Sequence::from(Slice::from_owner(Owner(Arc::clone(&bytes))));
    sender.send(&mut data).unwrap();
    drop(data);
    if sender.in_flight() == 0 {
        return aqueduct_testkit::skip("nothing is sent without a copy here");
    }
    panics.store(true, Relaxed);
    assert!(aqueduct_testkit::panics(move || drop(sender)));
    assert_eq!(Arc::strong_count(&bytes), 2, "let go, and the kernel was not asked");
}
