//! Descriptors of every kind to move bytes between, and what lies behind them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
    process,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread::{self, JoinHandle},
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    File,
    Pipe,
    Unix,
    Tcp,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::File, Self::Pipe, Self::Unix, Self::Tcp];
}

/// The end that is read from, the end that is written to.
pub fn ends(kind: Kind) -> (OwnedFd, OwnedFd) {
    match kind {
        Kind::File => {
            let file = unnamed();
            (file.try_clone().unwrap().into(), file.into())
        }
        Kind::Pipe => {
            let (exit, entry) = io::pipe().unwrap();
            (exit.into(), entry.into())
        }
        Kind::Unix => {
            let (a, b) = UnixStream::pair().unwrap();
            (a.into(), b.into())
        }
        Kind::Tcp => {
            let (a, b) = tcp();
            (a.into(), b.into())
        }
    }
}

pub fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let b = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0, b)
}

/// A path that nobody else has.
pub fn fresh_path() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Relaxed);
    std::env::temp_dir().join(format!("aqueduct-os-it-{}-{number}", process::id()))
}

/// An empty file without a name.
pub fn unnamed() -> File {
    let path = fresh_path();
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).open(&path).unwrap();
    fs::remove_file(path).unwrap();
    file
}

/// A file with these bytes, at its start.
pub fn file_of(bytes: &[u8]) -> File {
    let mut file = unnamed();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// All bytes of a file.
pub fn contents(mut file: &File) -> Vec<u8> {
    file.rewind().unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Something that gives these bytes and ends.
pub fn source(kind: Kind, bytes: &[u8]) -> OwnedFd {
    if kind == Kind::File {
        return file_of(bytes).into();
    }
    let (source, entry) = ends(kind);
    let bytes = bytes.to_vec();
    // Nobody waits for it: it ends when the source is read, or gone.
    thread::spawn(move || drop(File::from(entry).write_all(&bytes)));
    source
}

/// Something that takes bytes, and keeps them.
pub struct Target {
    pub fd: OwnedFd,
    arrivals: Arrivals,
}

enum Arrivals {
    File(File),
    Stream(JoinHandle<Vec<u8>>),
}

pub fn target(kind: Kind) -> Target {
    let (exit, fd) = ends(kind);
    let mut exit = File::from(exit);
    let arrivals = if kind == Kind::File {
        Arrivals::File(exit)
    } else {
        Arrivals::Stream(thread::spawn(move || {
            let mut bytes = Vec::new();
            exit.read_to_end(&mut bytes).unwrap();
            bytes
        }))
    };
    Target { fd, arrivals }
}

impl Target {
    /// What has arrived, once the target is gone.
    pub fn arrived(self) -> Vec<u8> {
        drop(self.fd);
        match self.arrivals {
            Arrivals::File(file) => contents(&file),
            Arrivals::Stream(bytes) => bytes.join().unwrap(),
        }
    }
}

pub fn nonblocking(fd: impl AsFd) {
    rustix::io::ioctl_fionbio(fd, true).unwrap();
}
