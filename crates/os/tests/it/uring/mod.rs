//! Operations of a ring against the ordinary calls. Without io_uring each says so in one line.

mod limits;
mod panicking;
mod reads;
mod sockets;
mod tasks;

use aqueduct_os::uring::Ring;
use aqueduct_testkit::skip;
use std::{
    fs::{self, File},
    io,
    net::{TcpListener, TcpStream},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::runtime::{Builder, Runtime};

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
    fs::remove_file(path).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    Arc::new(file)
}

/// In the folder for tests; the file is gone when the descriptor is.
fn path(name: &str) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("uring-{name}-{}-{number}", process::id()))
}

fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}
