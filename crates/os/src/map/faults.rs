//! What becomes of each answer that a call can give.

use super::{MappedFile, WriteToFault};
use crate::sys::{Call, Fault, script};
use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::net::UnixStream,
    sync::atomic::{AtomicUsize, Ordering},
};

/// `bytes` as a file without a name.
fn file_of(bytes: &[u8]) -> File {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let (process, nth) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(format!("aqueduct-faults-{process}-{nth}"));
    fs::write(&path, bytes).expect("a place for temporary files");
    let file = File::options().read(true).write(true).open(&path).expect("just written");
    fs::remove_file(&path).expect("ours");
    file
}

fn bytes() -> Vec<u8> {
    aqueduct_testkit::pattern(10_000, 1)
}

/// What arrives when `write` has written to a socket.
fn arrives(write: impl FnOnce(&UnixStream)) -> Vec<u8> {
    let (mut reader, writer) = UnixStream::pair().expect("sockets");
    let reading = std::thread::spawn(move || {
        let mut got = Vec::new();
        reader.read_to_end(&mut got).map(|_| got)
    });
    write(&writer);
    drop(writer);
    reading.join().expect("no panic").expect("an end")
}

#[test]
fn every_short_length_and_every_interruption_writes_all() {
    let (bytes, map) = (bytes(), MappedFile::map(file_of(&bytes())).expect("mapped"));
    for most in [1, 2, 3, 99, 4_095, 4_096, 4_097, 9_999, 10_000] {
        let mut calls = 0;
        let got = arrives(|socket| {
            let _script = script(move |call, wanted| {
                assert!(call == Call::Write && wanted > 0, "{call:?} {wanted}");
                calls += 1;
                let interrupted = Fault::Errno(libc::EINTR);
                Some(if calls % 2 == 0 { interrupted } else { Fault::Short(most) })
            });
            map.write_all_to(socket, 3..).expect("all of it");
        });
        assert_eq!(got, bytes[3..], "{most}");
    }
}

#[test]
fn an_error_says_what_was_written_before_it() {
    let (bytes, map) = (bytes(), MappedFile::map(file_of(&bytes())).expect("mapped"));
    for number in [libc::EAGAIN, libc::EIO, libc::ENOSPC, libc::EPIPE] {
        for good in [0, 1, 5] {
            let mut calls = 0;
            let got = arrives(|socket| {
                let _script = script(move |_, _| {
                    calls += 1;
                    Some(if calls > good { Fault::Errno(number) } else { Fault::Short(700) })
                });
                let failed = map.write_all_to(socket, ..).expect_err("the script's");
                assert_eq!(failed.written(), good * 700);
                let said = failed.to_string();
                assert!(said.contains(&(good * 700).to_string()), "{said}");
                let WriteToFault::Target(error) = failed.fault() else { panic!("{failed:?}") };
                assert_eq!(error.raw_os_error(), Some(number));
                let kind = error.kind();
                assert_eq!(io::Error::from(failed).kind(), kind);
            });
            assert_eq!(got, bytes[..good * 700]);
        }
    }
}

#[test]
fn one_call_gives_interruptions_to_its_caller() {
    let map = MappedFile::map(file_of(&bytes())).expect("mapped");
    let _script = script(|_, _| Some(Fault::Errno(libc::EINTR)));
    arrives(|socket| {
        let error = map.write_to(socket, ..).expect_err("the script's");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::Interrupted);
    });
}

/// A disk that cannot be read, or a file that was truncated and has grown again meanwhile.
#[test]
fn a_fault_in_a_file_that_is_long_enough_says_where() {
    let map = MappedFile::map_range(file_of(&bytes()), 1_000..).expect("mapped");
    let mut calls = 0;
    let got = arrives(|socket| {
        let _script = script(move |_, _| {
            calls += 1;
            Some(if calls > 2 { Fault::Errno(libc::EFAULT) } else { Fault::Short(700) })
        });
        let failed = map.write_all_to(socket, 10..).expect_err("the script's");
        assert_eq!(failed.written(), 1_400);
        assert!(matches!(failed.fault(), WriteToFault::Unreadable { at: 2_410, .. }), "{failed:?}");
    });
    assert_eq!(got, bytes()[1_010..2_410]);
}

#[test]
fn a_target_that_takes_nothing_ends_it() {
    let map = MappedFile::map(file_of(&bytes())).expect("mapped");
    let _script = script(|_, _| Some(Fault::Short(0)));
    arrives(|socket| {
        let failed = map.write_all_to(socket, ..).expect_err("nothing is taken");
        assert_eq!(failed.written(), 0);
        assert_eq!(io::Error::from(failed).kind(), io::ErrorKind::WriteZero);
    });
}

/// The script runs between the look at the file's length and the kernel's at the map.
#[test]
fn t14_a_file_that_is_cut_off_just_before_the_call_is_an_error() {
    // None of it is there; half a page is, and zeros to the end of it; all pages are, the last in part.
    for (cut, range, arrived) in
        [(0, 0..10_000, 0), (100, 0..4_000, 4_000), (9_000, 0..10_000, 10_000)]
    {
        let file = file_of(&bytes());
        let map = MappedFile::map(&file).expect("mapped");
        for whole in [true, false] {
            file.set_len(10_000).expect("ours");
            let cutting = file.try_clone().expect("descriptors");
            let got = arrives(|socket| {
                let _script = script(move |_, _| {
                    cutting.set_len(cut).expect("ours");
                    None
                });
                let range = range.clone();
                let all = |range| map.write_all_to(socket, range).map(|()| 0);
                let done = if whole { all(range) } else { map.write_to(socket, range) };
                let failed = done.expect_err("it was cut off");
                let fault = failed.fault();
                assert!(
                    matches!(fault, WriteToFault::Truncated { len } if *len == cut),
                    "{failed}"
                );
                assert_eq!(failed.written(), arrived);
            });
            assert_eq!(got.len(), arrived);
        }
    }
}
