//! Files over HTTP, to curl and to clients of our own.

mod curl;
mod fallback;
mod long;
mod program;
mod semantics;
mod truncated;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use aqueduct::Pool;
use aqueduct_testkit::{Serving, pattern};
use patterns::serve::{Files, Way, with_ring};
use tokio::{net::TcpListener, runtime::Builder, sync::oneshot};
use web::Options;

const WAYS: [Way; 5] = [Way::ReadAll, Way::Mapped, Way::Sendfile, Way::Pooled, Way::IoUring];

/// A folder that is removed again.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("aqueduct-serve-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file of so many bytes.
    fn file(&self, name: &str, len: usize) -> Vec<u8> {
        let bytes = pattern(len, len);
        fs::write(self.0.join(name), &bytes).unwrap();
        bytes
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server on a thread of its own, with blocks of its own; it leaves none when it stops.
struct Server {
    address: SocketAddr,
    pool: Pool,
    serving: Serving<oneshot::Sender<()>>,
}

impl Server {
    fn new(root: &Path, way: Way) -> Self {
        let ((stop, stopped), pool) = (oneshot::channel(), Pool::new());
        let options = Options { pool: pool.clone(), ..Options::default() };
        let files = Files::new(root, way).unwrap();
        let (address, serving) = Serving::start(stop, move |tell| {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let pool = options.pool.clone();
                let server = web::serve(listener, Arc::new(files), options, stopped);
                with_ring(&pool, server).await.unwrap().unwrap();
            });
        });
        Self { address, pool, serving }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.serving.end().is_some() {
            assert_eq!(self.pool.outstanding(), 0);
        }
    }
}
