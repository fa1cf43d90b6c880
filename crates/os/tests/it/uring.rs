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
