//! Memory that is written, sealed, given away, and what is not sealed as it should be.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, Write},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
    process::Stdio,
};

use aqueduct_os::{SealError, SharedMemory, sealed_slice};
use aqueduct_testkit::{pattern, skip};
use memmap2::MmapRaw;
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, memfd_create};

use crate::{map::Scratch, map_truncated::other_process};

/// Memory that a stranger made.
fn stranger(bytes: &[u8]) -> File {
    stranger_of(MemfdFlags::ALLOW_SEALING, bytes)
}

fn stranger_of(flags: MemfdFlags, bytes: &[u8]) -> File {
    let mut file = File::from(memfd_create("stranger", flags).expect("memory"));
    file.write_all(bytes).expect("memory");
    file
}

fn enough() -> SealFlags {
    SealFlags::SHRINK | SealFlags::WRITE
}

#[test]
fn what_is_written_is_read_where_it_is() {
    for len in [0, 1, 22, 23, 24, 4_095, 4_096, 4_097, 1 << 20] {
        let bytes = pattern(len, 1);
        let mut memory = SharedMemory::new().expect("memory");
        memory.write_all(&bytes[..len / 2]).expect("memory");
        memory.write_all(&bytes[len / 2..]).expect("memory");
        memory.flush().expect("nothing to do");
        let before = aqueduct_base::meter::thread();
        let slice = memory.seal().expect("ours alone");
        let again = memory.seal().expect("it may be sealed again");
        assert_eq!(aqueduct_base::meter::thread(), before, "nothing is copied");
        drop(memory);
        assert!(slice == bytes && again == bytes);
        assert_eq!(slice.as_ptr() == again.as_ptr(), len == 0);
        assert!(slice.try_into_mut().is_err() || len == 0);
    }
}

#[test]
fn what_is_sealed_cannot_be_changed_by_any_way() {
    let mut memory = SharedMemory::new().expect("memory");
    memory.write_all(b"sealed").expect("memory");
    let slice = memory.seal().expect("ours alone");
    let path = format!("/proc/self/fd/{}", memory.as_fd().as_raw_fd());
    let other = OpenOptions::new().read(true).write(true).open(path).expect("ours");
    let refused = |result: io::Result<()>| {
        assert_eq!(result.expect_err("sealed").kind(), io::ErrorKind::PermissionDenied);
    };
    refused(memory.write_all(b"more"));
    refused((&other).write_all(b"other"));
    refused(other.set_len(0));
    refused(other.set_len(100));
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    refused(fallocate(&other, punch, 0, 6).map_err(io::Error::from));
    refused(MmapRaw::map_raw(&other).map(drop));
    refused(fcntl_add_seals(&other, SealFlags::WRITE).map_err(io::Error::from));
    assert_eq!(slice, b"sealed");
}

#[test]
fn a_file_is_filled_in_by_whatever_copies() {
    let bytes = pattern(300_000, 2);
    let scratch = Scratch::new(&bytes);
    let mut memory = SharedMemory::new().expect("memory");
    io::copy(&mut scratch.open(), &mut memory).expect("room");
    let parts = [io::IoSlice::new(b"and "), io::IoSlice::new(b"more")];
    assert_eq!(memory.write_vectored(&parts).expect("room"), 8);
    let slice = memory.seal().expect("ours alone");
    assert!(slice[..300_000] == bytes && slice[300_000..] == *b"and more");
}

#[test]
fn every_missing_seal_is_named() {
    let all = [SealFlags::SHRINK, SealFlags::GROW, SealFlags::WRITE, SealFlags::FUTURE_WRITE];
    for chosen in 0..16 {
        let of = |at: usize| if chosen >> at & 1 == 1 { all[at] } else { SealFlags::empty() };
        let seals = of(0) | of(1) | of(2) | of(3);
        let file = stranger(b"some bytes");
        fcntl_add_seals(&file, seals).expect("they are there");
        let answer = sealed_slice(&file);
        if seals.contains(enough()) {
            assert_eq!(answer.expect("enough seals"), b"some bytes");
            continue;
        }
        let error = answer.expect_err("a seal is missing");
        let said = error.to_string();
        let missing = |seal| !seals.contains(seal);
        assert_eq!(said.contains("F_SEAL_SHRINK"), missing(SealFlags::SHRINK), "{said}");
        assert_eq!(said.contains("F_SEAL_WRITE"), missing(SealFlags::WRITE), "{said}");
        assert!(matches!(error, SealError::Missing { .. }));
    }
}

#[test]
fn what_cannot_be_sealed_is_refused() {
    let (pipe, _writer) = io::pipe().expect("a pipe");
    let scratch = Scratch::new(b"a file");
    let (file, zero) = (scratch.open(), File::open("/dev/zero").expect("there is one"));
    let folder = File::open(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    for fd in [pipe.as_fd(), file.as_fd(), zero.as_fd(), folder.as_fd()] {
        assert!(matches!(sealed_slice(fd), Err(SealError::NotSealable)));
    }
    // In memory, but not a memfd; and a memfd that must not be sealed.
    let shared = Path::new("/dev/shm");
    if shared.is_dir() {
        let scratch = Scratch::within(shared, b"a file");
        let refused = sealed_slice(scratch.writable());
        let told = matches!(refused, Err(SealError::Missing { .. } | SealError::NotSealable));
        assert!(told, "{refused:?}");
    }
    let unsealable = stranger_of(MemfdFlags::empty(), b"bytes");
    let refused = sealed_slice(&unsealable);
    assert!(
        matches!(refused, Err(SealError::Missing { shrink: true, write: true })),
        "{refused:?}"
    );
}

#[test]
fn a_writable_map_keeps_memory_from_being_sealed() {
    let mut memory = SharedMemory::new().expect("memory");
    memory.write_all(b"bytes").expect("memory");
    let map = MmapRaw::map_raw(&memory.as_fd()).expect("not sealed yet");
    let refused = memory.seal().expect_err("there is a writable map");
    assert!(matches!(refused, SealError::InUse), "{refused:?}");
    assert_eq!(io::Error::from(refused).kind(), io::ErrorKind::ResourceBusy);
    memory.write_all(b" and more").expect("nothing was sealed");
    drop(map);
    assert_eq!(memory.seal().expect("nobody has mapped it now"), b"bytes and more");
}

#[test]
fn memory_that_somebody_else_has_half_sealed_says_what_is_missing() {
    let mut memory = SharedMemory::new().expect("memory");
    memory.write_all(b"bytes").expect("memory");
    fcntl_add_seals(&memory, SealFlags::GROW | SealFlags::SEAL).expect("not sealed yet");
    let refused = memory.seal().expect_err("it cannot be sealed any more");
    assert!(matches!(refused, SealError::Missing { shrink: true, write: true }), "{refused:?}");
}

#[test]
fn a_hole_is_refused_where_it_begins() {
    for (filled, len) in [(0, 1), (0, 1 << 40), (8_192, 8_193), (8_192, 1 << 30)] {
        let file = stranger(&pattern(filled, 1));
        file.set_len(len).expect("no memory is needed");
        fcntl_add_seals(&file, enough()).expect("nobody has mapped it");
        let refused = sealed_slice(&file);
        let told = matches!(refused, Err(SealError::Hole { at }) if at == filled as u64);
        assert!(told, "{filled} {len} {refused:?}");
    }
    // A page that is partly written is there.
    let file = stranger(b"x");
    file.set_len(4_096).expect("no memory is needed");
    fcntl_add_seals(&file, enough()).expect("nobody has mapped it");
    assert_eq!(sealed_slice(&file).expect("no hole").len(), 4_096);
    // What is written behind the end stands in for no hole.
    let file = stranger(b"");
    fallocate(&file, FallocateFlags::KEEP_SIZE, 4_096, 1 << 20).expect("memory");
    file.set_len(4_096).expect("no memory is needed");
    fcntl_add_seals(&file, enough()).expect("nobody has mapped it");
    assert!(matches!(sealed_slice(&file), Err(SealError::Hole { at: 0 })));
}

#[test]
fn huge_pages_are_refused() {
    let flags = MemfdFlags::ALLOW_SEALING | MemfdFlags::HUGETLB;
    let Ok(file) = memfd_create("huge", flags).map(File::from) else {
        return skip("no huge pages here");
    };
    file.set_len(1 << 30).expect("none is needed yet");
    fcntl_add_seals(&file, enough()).expect("nobody has mapped it");
    let refused = sealed_slice(&file);
    assert!(matches!(refused, Err(SealError::HugePages)), "{refused:?}");
}

#[test]
fn a_descriptor_keeps_its_position_and_its_rights() {
    let mut file = stranger(&pattern(9_000, 3));
    fcntl_add_seals(&file, enough()).expect("nobody has mapped it");
    file.seek(io::SeekFrom::Start(77)).expect("a place");
    let slice = sealed_slice(&file).expect("sealed");
    assert_eq!(file.stream_position().expect("a place"), 77);
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let reading = File::open(&path).expect("ours");
    assert_eq!(sealed_slice(&reading).expect("reading is enough"), slice);
    let writing = OpenOptions::new().write(true).open(&path).expect("ours");
    let refused = sealed_slice(&writing).expect_err("it cannot be read");
    assert_eq!(io::Error::from(refused).kind(), io::ErrorKind::PermissionDenied);
}

#[test]
fn t16_sealed_memory_is_the_one_that_was_looked_at() {
    struct Changing(std::cell::Cell<bool>, File, File);
    impl AsFd for Changing {
        fn as_fd(&self) -> BorrowedFd<'_> {
            if self.0.replace(true) { self.2.as_fd() } else { self.1.as_fd() }
        }
    }
    let sealed = stranger(b"sealed");
    fcntl_add_seals(&sealed, enough()).expect("nobody has mapped it");
    let changing = Changing(false.into(), sealed, stranger(b"open, and longer"));
    assert_eq!(sealed_slice(&changing).expect("the first"), b"sealed");
    assert!(sealed_slice(&changing).is_err(), "the other");
}

#[test]
fn another_process_reads_what_it_was_given() {
    let mut memory = SharedMemory::new().expect("memory");
    memory.write_all(&pattern(1 << 20, 9)).expect("memory");
    let given = |memory: &SharedMemory| {
        let fd: OwnedFd = memory.as_fd().try_clone_to_owned().expect("descriptors");
        other_process("receive").stdin(Stdio::from(fd)).status().expect("started")
    };
    assert!(!given(&memory).success(), "not sealed yet");
    memory.seal().expect("ours alone");
    assert!(given(&memory).success());
}

/// What the other process does.
pub(crate) fn receive() {
    let slice = sealed_slice(io::stdin()).expect("sealed");
    assert!(slice == pattern(1 << 20, 9));
}
