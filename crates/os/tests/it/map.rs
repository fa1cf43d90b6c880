//! Mapped files: what they refuse, what is written from them, and what hostile descriptors do.

use std::{
    cell::Cell,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    ops::RangeBounds,
    os::fd::{AsFd, BorrowedFd},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use aqueduct_os::{MapError, MappedFile, WriteToFault};
use aqueduct_slice::{RangeError, Slice};
use aqueduct_testkit::pattern;
use rustix::io::Errno;

/// A file of its own for one test, gone with it.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self::within(Path::new(env!("CARGO_TARGET_TMPDIR")), bytes)
    }

    pub(crate) fn within(folder: &Path, bytes: &[u8]) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let (process, nth) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(format!("aqueduct-map-{process}-{nth}"));
        fs::write(&path, bytes).expect("a place for files");
        Self(path)
    }

    pub(crate) fn open(&self) -> File {
        File::open(&self.0).expect("it was just made")
    }

    pub(crate) fn writable(&self) -> File {
        OpenOptions::new().read(true).write(true).open(&self.0).expect("it was just made")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

/// A part of a file that a test has for itself.
pub(crate) fn slice_of(
    map: &MappedFile,
    range: impl RangeBounds<usize>,
) -> Result<Slice, RangeError> {
    // SAFETY: no test writes to a file of which it has a slice. The one that truncates it is to die.
    unsafe { map.slice(range) }
}

/// A page, on most systems.
pub(crate) const PAGE: usize = 4_096;

/// What arrives when `write` has written to a socket.
pub(crate) fn arrives<R>(write: impl FnOnce(UnixStream) -> R) -> (R, Vec<u8>) {
    let (mut reader, writer) = UnixStream::pair().expect("sockets");
    let reading = thread::spawn(move || {
        let mut got = Vec::new();
        reader.read_to_end(&mut got).map(|_| got)
    });
    let result = write(writer);
    (result, reading.join().expect("no panic").expect("an end"))
}

#[test]
fn every_range_of_a_map_of_every_range_is_written_as_it_is() {
    let page = PAGE;
    let bytes = pattern(3 * page + 5, 1);
    let scratch = Scratch::new(&bytes);
    let file = scratch.open();
    let (len, places) = (bytes.len(), [0, 1, 5, page - 1, page, page + 1, 2 * page, 3 * page]);
    for start in places {
        for end in places.into_iter().chain([len]).filter(|&end| end >= start) {
            let map = MappedFile::map_range(&file, start as u64..end as u64).expect("in the file");
            let mapped = &bytes[start..end];
            assert_eq!((map.len(), map.is_empty()), (mapped.len(), mapped.is_empty()));
            let (first, last) = (mapped.len() / 3, mapped.len() - mapped.len() / 5);
            let (_, got) = arrives(|socket| {
                map.write_all_to(&socket, ..).expect("all of it");
                map.write_all_to(&socket, first..last).expect("a part of it");
                map.write_all_to(&socket, last..).expect("its end");
            });
            let parts = mapped.iter().chain(&mapped[first..last]).chain(&mapped[last..]);
            assert!(got.iter().eq(parts), "{start}..{end}");
            let slice = slice_of(&map, first..last).expect("in the map");
            drop(map);
            assert_eq!(slice, mapped[first..last]);
        }
    }
}

#[test]
fn a_slice_keeps_the_map_and_copies_nothing() {
    let bytes = pattern(100_000, 2);
    let scratch = Scratch::new(&bytes);
    let map = MappedFile::map(scratch.open()).expect("mapped");
    let before = aqueduct_base::meter::thread();
    let whole = slice_of(&map, ..).expect("all of it");
    let part = slice_of(&map, 50_000..=50_009).expect("a part");
    drop((map, scratch));
    assert_eq!((whole.len(), part.len()), (100_000, 10));
    assert_eq!(aqueduct_base::meter::thread(), before);
    assert!(whole[50_000..50_010] == *part && whole == bytes);
    assert!(whole.try_into_mut().is_err(), "a file is not written to by its slice");
}

#[test]
fn an_empty_file_and_empty_ranges_give_nothing() {
    let scratch = Scratch::new(b"");
    let map = MappedFile::map(scratch.open()).expect("empty, but a file");
    assert!(map.is_empty());
    assert!(slice_of(&map, ..).expect("empty").is_empty());
    let (_, got) = arrives(|socket| {
        assert_eq!(map.write_to(&socket, ..).expect("nothing"), 0);
        map.write_all_to(&socket, 0..0).expect("nothing");
    });
    assert!(got.is_empty());
    for advice in crate::map_advice::advices() {
        map.advise(advice, ..).expect("of nothing");
    }
}

#[test]
fn what_is_no_file_for_reading_is_refused() {
    let (pipe, _writer) = io::pipe().expect("a pipe");
    let (socket, _other) = UnixStream::pair().expect("sockets");
    let zero = File::open("/dev/zero").expect("there is one");
    let folder = File::open(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let of = |fd: BorrowedFd<'_>| MappedFile::map(fd).expect_err("no file");
    for fd in [pipe.as_fd(), socket.as_fd(), zero.as_fd(), folder.as_fd()] {
        let error = of(fd);
        assert!(matches!(error, MapError::NotAFile), "{error:?}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidInput);
    }
    let scratch = Scratch::new(b"secret");
    let write_only = OpenOptions::new().write(true).open(&scratch.0).expect("ours");
    let error = of(write_only.as_fd());
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::PermissionDenied);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_the_kernel_makes_up_is_refused() {
    for path in ["/proc/self/status", "/sys/kernel/mm/transparent_hugepage/enabled"] {
        let Ok(file) = File::open(path) else { continue };
        let error = MappedFile::map(file).expect_err("it has no pages");
        assert!(matches!(error, MapError::System(_)), "{path}: {error:?}");
    }
}

/// Each time another file, or another socket.
struct Changing<'a> {
    asked: Cell<usize>,
    answers: Vec<BorrowedFd<'a>>,
}

impl<'a> Changing<'a> {
    fn new(answers: Vec<BorrowedFd<'a>>) -> Self {
        Self { asked: Cell::new(0), answers }
    }
}

impl AsFd for Changing<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let asked = self.asked.get();
        self.asked.set(asked + 1);
        self.answers[asked % self.answers.len()]
    }
}

#[test]
fn t16_a_descriptor_that_changes_is_asked_once() {
    let (long, short) = (Scratch::new(&pattern(100_000, 4)), Scratch::new(b"short"));
    let (long, short) = (long.open(), short.open());
    let zero = File::open("/dev/zero").expect("there is one");
    let changing = Changing::new(vec![long.as_fd(), short.as_fd(), zero.as_fd()]);
    let map = MappedFile::map(&changing).expect("the first is a file");
    assert_eq!((map.len(), changing.asked.get()), (100_000, 1));
    let changing = Changing::new(vec![zero.as_fd(), long.as_fd()]);
    assert!(matches!(MappedFile::map(&changing), Err(MapError::NotAFile)));

    let (_unread, other) = UnixStream::pair().expect("sockets");
    let (_, got) = arrives(|socket| {
        let changing = Changing::new(vec![socket.as_fd(), other.as_fd()]);
        map.write_all_to(&changing, ..).expect("all of it, to the first");
    });
    assert_eq!(got, pattern(100_000, 4));
}

#[test]
fn a_file_of_any_size_is_mapped_in_part_or_refused() {
    let folder = [Path::new("/dev/shm"), Path::new(env!("CARGO_TARGET_TMPDIR"))];
    for folder in folder.into_iter().filter(|folder| folder.is_dir()) {
        let scratch = Scratch::within(folder, b"");
        let file = scratch.writable();
        // The largest that the file system takes.
        let size = (40..=62).rev().map(|bits| 1_u64 << bits).find(|&n| file.set_len(n).is_ok());
        let Some(size) = size else { continue };
        if size > 1 << 47 {
            let error = MappedFile::map(&file).expect_err("more than the address space");
            assert!(error.to_string().starts_with("cannot map"), "{error}");
        }
        for at in [size - 5, size / 2 + 7, size - 3 * PAGE as u64] {
            let map = MappedFile::map_range(&file, at..at + 5).expect("five bytes");
            let (_, got) = arrives(|socket| map.write_all_to(socket, ..).expect("a hole is zeros"));
            assert_eq!(got, [0; 5]);
        }
        for range in [size - 5..size + 1, size..size + 1, size + 1..u64::MAX] {
            let error = MappedFile::map_range(&file, range).expect_err("past the end");
            assert!(matches!(error, MapError::Range { .. }), "{error:?}");
        }
    }
}

#[test]
fn what_a_file_grows_by_is_not_in_the_map() {
    let scratch = Scratch::new(&pattern(5_000, 5));
    let mut file = scratch.writable();
    let map = MappedFile::map(&file).expect("mapped");
    file.seek(io::SeekFrom::End(0)).expect("a file");
    file.write_all(&pattern(100_000, 6)).expect("room");
    assert_eq!(map.len(), 5_000);
    let (_, got) = arrives(|socket| map.write_all_to(socket, ..).expect("as it was"));
    assert_eq!(got, pattern(5_000, 5));
    // Onto its own end: the kernel reads the pages that it writes to.
    map.write_all_to(&file, ..).expect("room");
    drop(file);
    let whole = fs::read(&scratch.0).expect("ours");
    assert_eq!(whole[105_000..], pattern(5_000, 5));
}

#[test]
fn a_target_that_nobody_reads_says_so() {
    let scratch = Scratch::new(&pattern(1 << 20, 7));
    let map = MappedFile::map(scratch.open()).expect("mapped");
    let (reader, writer) = io::pipe().expect("a pipe");
    rustix::io::ioctl_fionbio(&writer, true).expect("a pipe can be non-blocking");
    let full = map.write_all_to(&writer, ..).expect_err("nobody reads");
    let WriteToFault::Target(error) = full.fault() else { panic!("{full:?}") };
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert!(full.written() > 0);
    let mut got = vec![0; full.written()];
    (&reader).read_exact(&mut got).expect("what was written");
    assert_eq!(got, pattern(1 << 20, 7)[..full.written()]);

    drop(reader);
    let broken = map.write_to(&writer, ..).expect_err("no reader, and SIGPIPE is ignored");
    assert_eq!(io::Error::from(broken).kind(), io::ErrorKind::BrokenPipe);
    let read_only = scratch.open();
    let refused = map.write_all_to(&read_only, ..).expect_err("not open for writing");
    assert_eq!(refused.written(), 0);
    let error = io::Error::from(refused);
    assert_eq!(Errno::from_io_error(&error), Some(Errno::BADF));
}
