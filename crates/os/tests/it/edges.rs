//! Limits, ends, and descriptors that are not what was meant.

use crate::sides::{Kind, contents, file_of, fresh_path, source, target, tcp, unnamed};
use aqueduct_os::{Call, Method, Step, Transfer, copy_file_range, relay, send_file, splice, tee};
use aqueduct_testkit::pattern;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
    process::Command,
    time::Duration,
};

/// Every count and offset at the limits: an end, an error, or what there is; never a wrap.
#[test]
fn t01_sizes_at_the_limits() {
    let bytes = pattern(10, 1);
    let edges = (0..64).map(|k| u64::MAX - k);
    let signed = i64::MAX as u64;
    let edges: Vec<u64> = edges.chain([signed - 1, signed, signed + 1]).collect();
    for &edge in &edges {
        for offset in [0, 1, 5] {
            // More than there is.
            for (method, kind) in [
                (Method::SendFile, Kind::Tcp),
                (Method::Splice, Kind::Pipe),
                (Method::CopyFileRange, Kind::File),
                (Method::ThroughPipe, Kind::Unix),
                (Method::ThroughBlock, Kind::Unix),
            ] {
                let (from, to) = (source(Kind::File, &bytes), target(kind));
                let mut transfer = Transfer::by(method, edge).from_offset(offset);
                let error = transfer.run(&from, &to.fd).unwrap_err();
                assert_eq!(error.error().kind(), ErrorKind::UnexpectedEof, "{method:?} {error}");
                assert_eq!((error.done(), error.offset()), (10 - offset, Some(10)));
                assert_eq!(to.arrived(), &bytes[offset as usize..]);
            }
        }
    }
    for at in edges.into_iter().chain([signed - 10]) {
        for method in [
            Method::SendFile,
            Method::Splice,
            Method::CopyFileRange,
            Method::ThroughPipe,
            Method::ThroughBlock,
        ] {
            // From where nothing is.
            let (from, to) = (file_of(&bytes), unnamed());
            let read = Transfer::by(method, 20).from_offset(at).run(&from, &to).unwrap_err();
            assert_eq!(read.done(), 0, "{method:?} from {at}");
            // To where nothing can be.
            let written = Transfer::by(method, 20).to_offset(at).run(&from, &to);
            assert_eq!(written.unwrap_err().done(), 0, "{method:?} to {at}");
            assert_eq!(contents(&to), [], "{method:?} at {at}");
        }
    }
}

#[test]
fn nothing_is_moved_by_no_call() {
    // Neither could be read from or written to.
    let (exit, entry) = io::pipe().unwrap();
    for mut transfer in [send_file(5, 0), splice(0), copy_file_range(1, 2, 0)] {
        assert_eq!(transfer.run(&entry, &exit).unwrap().bytes, 0);
        assert_eq!(transfer.step(&entry, &exit).unwrap(), Step::End);
    }
}

#[test]
#[cfg(target_os = "linux")] // elsewhere it is read and written, in more steps
fn a_file_that_shrank_says_where_it_ended() {
    let (from, to) = (file_of(&pattern(100, 1)), target(Kind::Tcp));
    let mut sending = send_file(20, 1000);
    assert_eq!(sending.step(&from, &to.fd).unwrap(), Step::Moved(80));
    let error = sending.run(&from, &to.fd).unwrap_err();
    let said = "sendfile at offset 100, after 80 bytes: the source ended 920 bytes early";
    assert_eq!(error.to_string(), said);
    assert_eq!(io::Error::from(error).kind(), ErrorKind::UnexpectedEof);
    // It grows again, and the transfer goes on.
    (&from).write_all(&pattern(100, 1)).unwrap();
    (&from).write_all(&pattern(920, 2)).unwrap();
    assert_eq!(sending.run(&from, &to.fd).unwrap().bytes, 1000);
    assert_eq!(to.arrived(), [&pattern(100, 1)[20..], &pattern(920, 2)].concat());
}

#[test]
fn a_pipe_sent_as_a_file_goes_through_a_block() {
    let bytes = pattern(200_000, 1);
    let (from, to) = (source(Kind::Pipe, &bytes), target(Kind::Tcp));
    let done = send_file(0, None).run(&from, &to.fd).unwrap();
    assert_eq!(done.method, Method::ThroughBlock);
    assert_eq!(done.fallback.unwrap().call, Call::SendFile);
    assert!(to.arrived() == bytes);
    // But it has no tenth byte.
    let (from, to) = (source(Kind::Pipe, &bytes), target(Kind::Tcp));
    let error = send_file(10, None).run(&from, &to.fd).unwrap_err();
    assert_eq!((error.call(), error.offset(), error.done()), (Call::Pread, Some(10), 0));
    assert_eq!(error.error().kind(), ErrorKind::NotSeekable);
}

#[test]
#[cfg(target_os = "linux")]
fn files_that_are_made_up_as_they_are_read() {
    let want = fs::read("/proc/self/limits").unwrap();
    assert!(!want.is_empty());
    for (method, kind) in [
        (Method::SendFile, Kind::Tcp),
        (Method::CopyFileRange, Kind::File),
        (Method::Splice, Kind::Pipe),
        (Method::ThroughPipe, Kind::Tcp),
    ] {
        let (from, to) = (File::open("/proc/self/limits").unwrap(), target(kind));
        assert_eq!(from.metadata().unwrap().len(), 0);
        Transfer::by(method, None).from_offset(0).run(&from, &to.fd).unwrap();
        assert_eq!(to.arrived(), want, "{method:?}");
    }
}

#[test]
fn what_is_appended_to_is_appended_to() {
    let path = fresh_path();
    for (method, kind) in [
        (Method::CopyFileRange, Kind::File),
        (Method::SendFile, Kind::File),
        (Method::Splice, Kind::Pipe),
        (Method::ThroughPipe, Kind::Tcp),
    ] {
        fs::write(&path, b"old").unwrap();
        let to = OpenOptions::new().append(true).open(&path).unwrap();
        let from = source(kind, b"new");
        let done = Transfer::by(method, None).run(&from, &to).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"oldnew", "{method:?}");
        if cfg!(target_os = "linux") {
            assert!(done.fallback.is_some(), "{method:?}");
        }
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn a_side_that_cannot_be_read_or_written_is_an_error() {
    let path = fresh_path();
    fs::write(&path, b"some").unwrap();
    let reading = File::open(&path).unwrap();
    let writing = OpenOptions::new().write(true).open(&path).unwrap();
    fs::remove_file(path).unwrap();
    let other = file_of(b"other");
    let ends = |bad: &mut Transfer, from: &File, to: &File, call| {
        let error = bad.run(from, to).unwrap_err();
        assert_eq!((error.call(), error.done()), (call, 0));
        assert_eq!(error.error().raw_os_error(), Some(rustix::io::Errno::BADF.raw_os_error()));
    };
    ends(&mut send_file(0, 4), &writing, &other, Call::Pread);
    ends(&mut send_file(0, 4), &other, &reading, Call::Write);
    ends(&mut copy_file_range(0, 0, 4), &writing, &other, Call::Pread);
    ends(&mut copy_file_range(0, 0, 4), &other, &reading, Call::Pwrite);
    ends(&mut splice(4), &writing, &other, Call::Read);
}

#[test]
fn one_socket_is_both_sides_of_a_relay() {
    let (mut client, echo) = tcp();
    let bytes = pattern(100_000, 1);
    let mut got = vec![0; bytes.len()];
    std::thread::scope(|scope| {
        scope.spawn(|| relay().run(&echo, &echo).unwrap());
        (&client).write_all(&bytes).unwrap();
        client.read_exact(&mut got).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
    });
    assert!(got == bytes);
}

#[test]
fn one_pipe_is_both_sides() {
    let (exit, mut entry) = io::pipe().unwrap();
    entry.write_all(b"0123456789").unwrap();
    assert_eq!(splice(4).run(&exit, &entry).unwrap().bytes, 4);
    drop(entry);
    let mut got = String::new();
    { exit }.read_to_string(&mut got).unwrap();
    assert_eq!(got, "4567890123");
}

#[test]
fn a_receiver_that_is_gone_is_an_error() {
    let bytes = pattern(1 << 20, 1);
    for (method, kind) in [
        (Method::SendFile, Kind::File),
        (Method::ThroughPipe, Kind::Unix),
        (Method::ThroughBlock, Kind::Unix),
    ] {
        let (receiver, socket) = std::os::unix::net::UnixStream::pair().unwrap();
        drop(receiver);
        let error = Transfer::by(method, None).run(source(kind, &bytes), &socket).unwrap_err();
        assert_eq!(error.error().kind(), ErrorKind::BrokenPipe, "{method:?}");
        assert_eq!(error.done(), 0);
    }
}

/// What was read into a pipe or a block for a receiver that is gone goes to another.
#[test]
fn what_is_inside_goes_to_another_receiver() {
    for method in [Method::ThroughPipe, Method::ThroughBlock] {
        let from = source(Kind::Unix, &pattern(1000, 1));
        let mut transfer = Transfer::by(method, None);
        let (exit, entry) = io::pipe().unwrap();
        drop(exit);
        transfer.run(&from, entry).unwrap_err();
        assert_eq!(transfer.pending(), 1000, "{method:?}");
        let to = target(Kind::Tcp);
        assert_eq!(transfer.run(&from, &to.fd).unwrap().bytes, 1000);
        assert_eq!(to.arrived(), pattern(1000, 1));
    }
}

/// The offset is that of the first byte that has not arrived, not of the first that was not read.
#[test]
fn an_error_has_the_offset_of_what_has_not_arrived() {
    for method in [Method::ThroughPipe, Method::ThroughBlock] {
        let (exit, entry) = io::pipe().unwrap();
        drop(exit);
        let mut transfer = Transfer::by(method, 10).from_offset(7);
        let error = transfer.run(file_of(&pattern(100, 1)), entry).unwrap_err();
        assert_eq!((error.offset(), error.done(), transfer.pending()), (Some(7), 0, 10));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn tee_gives_the_same_bytes_and_ends() {
    let (exit, mut entry) = io::pipe().unwrap();
    let (mut second, into) = io::pipe().unwrap();
    entry.write_all(b"0123456789").unwrap();
    assert_eq!(tee(&exit, &into, 4).unwrap(), 4);
    assert_eq!(tee(&exit, &into, usize::MAX).unwrap(), 10);
    let mut got = [0; 14];
    second.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"01230123456789");
    assert_eq!(tee(&exit, &into, 0).unwrap(), 0);
    drop(entry);
    { &exit }.read_exact(&mut got[..10]).unwrap();
    assert_eq!(tee(&exit, &into, 4).unwrap(), 0);
    // Files are no pipes, and nothing stands in.
    let error = tee(unnamed(), &into, 4).unwrap_err();
    assert_eq!((error.call(), error.error().kind()), (Call::Tee, ErrorKind::InvalidInput));
}

#[test]
fn errors_and_states_print() {
    let error = splice(5).run(unnamed(), unnamed()).unwrap_err();
    assert_eq!(error.to_string(), "read after 0 bytes: the source ended 5 bytes early");
    let transfer = relay();
    assert!(format!("{transfer:?} {:?}", transfer.transferred()).contains("ThroughPipe"));
}

/// Another process truncates the file at some time or other: an end, and never a signal.
#[test]
fn t14_a_file_truncated_while_it_is_sent() {
    let (path, bytes) = (fresh_path(), pattern(4 << 20, 1));
    for round in 0..aqueduct_testkit::scale(20) {
        for method in [Method::SendFile, Method::ThroughBlock, Method::ThroughPipe] {
            fs::write(&path, &bytes).unwrap();
            let (from, to) = (File::open(&path).unwrap(), target(Kind::Tcp));
            let mut truncate = Command::new("truncate");
            let Ok(mut process) = truncate.args(["-s", "5000"]).arg(&path).spawn() else {
                return aqueduct_testkit::skip("no program to truncate a file");
            };
            // It takes about a millisecond to start.
            std::thread::sleep(Duration::from_micros(100 * (round as u64 % 20)));
            let mut transfer = Transfer::by(method, bytes.len() as u64).from_offset(0);
            let done = match transfer.run(&from, &to.fd) {
                Ok(done) => done.bytes,
                Err(error) => {
                    assert_eq!(error.error().kind(), ErrorKind::UnexpectedEof, "{error}");
                    error.done()
                }
            };
            assert_eq!(to.arrived().len() as u64, done, "{method:?}");
            assert!(process.wait().unwrap().success());
        }
    }
    fs::remove_file(path).unwrap();
}
