//! What a reviewer found, and how it is now.

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

pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("refuted-{name}-{}", process::id()))
}

/// What `work` gives on a thread of its own; none if that takes longer than two seconds.
pub fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
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
