//! Every call made short, interrupted, blocked or failing, through the seam: the same bytes arrive, or an
//! error says exactly how many did.

use crate::{
    Call, Method, Transfer,
    sys::{Fault, script},
    tee, write_all_vectored,
};
use rustix::io::{Errno, ioctl_fionbio};
use std::{
    cell::Cell,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process,
    rc::Rc,
    thread::{self, JoinHandle},
};

const BYTES: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const METHODS: [Method; 5] = [
    Method::SendFile,
    Method::Splice,
    Method::CopyFileRange,
    Method::ThroughPipe,
    Method::ThroughBlock,
];
const KINDS: [Kind; 4] = [Kind::File, Kind::Pipe, Kind::Unix, Kind::Tcp];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    File,
    Pipe,
    Unix,
    Tcp,
}

/// A way from one kind of descriptor to another.
#[derive(Clone, Copy, Debug)]
struct Way {
    method: Method,
    from: Kind,
    to: Kind,
}

fn ways() -> impl Iterator<Item = Way> {
    METHODS.into_iter().flat_map(|method| {
        KINDS.into_iter().flat_map(move |from| KINDS.map(|to| Way { method, from, to }))
    })
}

/// What is read from and written to: the second end comes first.
fn ends(kind: Kind) -> (OwnedFd, OwnedFd) {
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
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let b = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            (listener.accept().unwrap().0.into(), b.into())
        }
    }
}

fn unnamed() -> File {
    thread_local!(static NUMBER: Cell<usize> = const { Cell::new(0) });
    let number = NUMBER.replace(NUMBER.get() + 1);
    let name = format!("aqueduct-os-{}-{:?}-{number}", process::id(), thread::current().id());
    let path = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).open(&path).unwrap();
    fs::remove_file(path).unwrap();
    file
}

/// One transfer of all of `BYTES`, and what is left to look at.
struct Rig {
    transfer: Transfer,
    source: OwnedFd,
    target: OwnedFd,
    arrivals: JoinHandle<File>,
}

impl Rig {
    fn new(way: Way) -> Self {
        let (source, feed) = ends(way.from);
        let mut feed = File::from(feed);
        feed.write_all(BYTES).unwrap();
        if way.from == Kind::File {
            feed.rewind().unwrap();
        }
        let (other, target) = ends(way.to);
        let transfer = Transfer::by(way.method, None);
        // A pipe has sixteen places, whether a byte is in them or a page: it must be read meanwhile.
        let arrivals = thread::spawn(move || match way.to {
            Kind::File => other.into(),
            _ => {
                let mut arrived = unnamed();
                io::copy(&mut File::from(other), &mut arrived).unwrap();
                arrived
            }
        });
        Self { transfer, source, target, arrivals }
    }

    /// What has arrived, once the target is gone.
    fn arrived(self) -> Vec<u8> {
        drop(self.target);
        let mut file = self.arrivals.join().unwrap();
        file.rewind().unwrap();
        let mut got = Vec::new();
        file.read_to_end(&mut got).unwrap();
        got
    }
}

/// Does `fault` at the `k`th call, and counts all.
fn at_call(k: usize, fault: Fault) -> (impl FnMut(Call, usize) -> Option<Fault>, Rc<Cell<usize>>) {
    let calls = Rc::new(Cell::new(0));
    let counter = Rc::clone(&calls);
    let faults = move |_, _| {
        let now = counter.replace(counter.get() + 1);
        (now == k).then_some(fault)
    };
    (faults, calls)
}

#[test]
fn every_call_short_at_every_length() {
    for way in ways() {
        for most in 1..=BYTES.len() + 1 {
            let mut rig = Rig::new(way);
            let _faults = script(move |_, _| Some(Fault::Short(most)));
            let done = rig.transfer.run(&rig.source, &rig.target).unwrap();
            assert_eq!(done.bytes, BYTES.len() as u64, "{way:?} by {most}");
            assert_eq!(rig.arrived(), BYTES, "{way:?} by {most}");
        }
    }
}

/// Runs every way with `errno` at each call in turn. `judge` is told whether it was refused there.
fn at_every_call(errno: Errno, judge: impl Fn(Way, usize, Rig, Option<u64>)) {
    for way in ways() {
        for k in 0.. {
            let mut rig = Rig::new(way);
            // Who waits by itself says so when its time is up.
            for fd in [&rig.source, &rig.target] {
                ioctl_fionbio(fd, errno == Errno::AGAIN).unwrap();
            }
            // Seven bytes at a time, so that a fault also hits the middle.
            let (mut faults, calls) = at_call(k, Fault::Errno(errno.raw_os_error()));
            let guard = script(move |call, wanted| faults(call, wanted).or(Some(Fault::Short(7))));
            let outcome = rig.transfer.run(&rig.source, &rig.target);
            drop(guard);
            let refused = outcome.err().map(|error| {
                let said = Errno::from_io_error(error.error());
                assert_eq!(said, Some(errno), "{way:?} {k}: {error}");
                error.done()
            });
            judge(way, k, rig, refused);
            if calls.get() <= k {
                break;
            }
        }
    }
}

#[test]
fn interrupted_and_blocked_at_every_call() {
    for errno in [Errno::INTR, Errno::AGAIN] {
        at_every_call(errno, |way, k, rig, refused| {
            assert_eq!(refused, None, "{way:?}, {errno:?} at call {k}");
            assert_eq!(rig.arrived(), BYTES, "{way:?}, {errno:?} at call {k}");
        });
    }
}

#[test]
fn an_error_at_every_call_says_what_arrived_and_loses_nothing() {
    at_every_call(Errno::IO, |way, k, mut rig, refused| {
        // Where no pipe is to be had, a block does.
        if let Some(done) = refused {
            assert_eq!(done, rig.transfer.done());
            let again = rig.transfer.run(&rig.source, &rig.target).unwrap();
            assert_eq!(again.bytes, BYTES.len() as u64, "{way:?} {k}");
        }
        assert_eq!(rig.arrived(), BYTES, "{way:?} {k}");
    });
}

#[test]
fn an_error_counts_exactly_the_bytes_that_are_there() {
    at_every_call(Errno::IO, |way, k, rig, refused| {
        let want = refused.map_or(BYTES.len(), |done| usize::try_from(done).unwrap());
        assert_eq!(rig.arrived(), &BYTES[..want], "{way:?} {k}");
    });
}

#[test]
fn refused_at_every_call_goes_on_from_the_same_byte() {
    for errno in [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::XDEV] {
        at_every_call(errno, |way, k, mut rig, refused| {
            // Only the last resort's own calls may be refused for good.
            if refused.is_some() {
                assert_eq!(rig.transfer.transferred().method, Method::ThroughBlock, "{way:?} {k}");
                rig.transfer.run(&rig.source, &rig.target).unwrap();
            }
            assert_eq!(rig.arrived(), BYTES, "{way:?} {errno:?} {k}");
        });
    }
}

#[test]
fn a_refusal_is_told_once() {
    let mut rig = Rig::new(Way { method: Method::SendFile, from: Kind::File, to: Kind::Tcp });
    let (faults, _) = at_call(0, Fault::Errno(Errno::NOSYS.raw_os_error()));
    let _guard = script(faults);
    let done = rig.transfer.run(&rig.source, &rig.target).unwrap();
    let fallback = done.fallback.unwrap();
    assert_eq!((fallback.call, done.method), (Call::SendFile, Method::ThroughBlock));
    let line = "sendfile refused: Function not implemented (os error 38); \
                reading and writing instead";
    assert_eq!(fallback.to_string(), line);
}

#[test]
fn without_a_pipe_a_relay_goes_through_blocks() {
    let mut rig = Rig::new(Way { method: Method::ThroughPipe, from: Kind::Unix, to: Kind::Tcp });
    let errno = Errno::MFILE.raw_os_error();
    let _guard = script(move |call, _| (call == Call::Pipe).then_some(Fault::Errno(errno)));
    let done = rig.transfer.run(&rig.source, &rig.target).unwrap();
    assert_eq!(done.fallback.unwrap().call, Call::Pipe);
    assert_eq!(rig.arrived(), BYTES);
}

/// A pipe that is empty again serves the next relay of the thread.
#[test]
fn relays_of_a_thread_share_a_pipe() {
    let made = Rc::new(Cell::new(0));
    let count = Rc::clone(&made);
    let _guard = script(move |call, _| {
        count.set(count.get() + usize::from(call == Call::Pipe));
        None
    });
    for _ in 0..10 {
        let way = Way { method: Method::ThroughPipe, from: Kind::Unix, to: Kind::Tcp };
        let mut rig = Rig::new(way);
        rig.transfer.run(&rig.source, &rig.target).unwrap();
        assert_eq!(rig.arrived(), BYTES);
    }
    assert_eq!(made.get(), 1);
}

/// Pieces of lengths 0, 1, 2 and so on, empty ones between.
fn pieces() -> Vec<&'static [u8]> {
    let (mut rest, mut pieces) = (BYTES, vec![&b""[..]]);
    for len in (0..).step_by(2) {
        let (piece, behind) = rest.split_at(rest.len().min(len / 2));
        pieces.extend([piece, b""]);
        rest = behind;
        if rest.is_empty() {
            return pieces;
        }
    }
    unreachable!("it grows")
}

#[test]
fn vectored_writes_resume_in_the_middle_of_a_piece() {
    for most in 1..=BYTES.len() {
        let (mut to, from) = UnixStream::pair().unwrap();
        let guard = script(move |_, _| Some(Fault::Short(most)));
        let mut writing = write_all_vectored(pieces());
        assert_eq!(writing.run(&from).unwrap(), BYTES.len() as u64);
        drop((guard, from));
        let mut got = Vec::new();
        to.read_to_end(&mut got).unwrap();
        assert_eq!(got, BYTES, "by {most}");
    }
}

#[test]
fn vectored_writes_survive_errors_at_every_call() {
    for (errno, fails) in [(Errno::INTR, false), (Errno::AGAIN, false), (Errno::NOSPC, true)] {
        for k in 0..BYTES.len() {
            let (mut to, from) = UnixStream::pair().unwrap();
            from.set_nonblocking(errno == Errno::AGAIN).unwrap();
            let (mut faults, _) = at_call(k, Fault::Errno(errno.raw_os_error()));
            let guard = script(move |call, wanted| faults(call, wanted).or(Some(Fault::Short(1))));
            let mut writing = write_all_vectored(pieces());
            if fails {
                let error = writing.run(&from).unwrap_err();
                assert_eq!((error.call(), error.done()), (Call::Writev, k as u64));
                assert_eq!(Errno::from_io_error(error.error()), Some(errno));
            }
            assert_eq!(writing.run(&from).unwrap(), BYTES.len() as u64);
            drop((guard, from));
            let mut got = Vec::new();
            to.read_to_end(&mut got).unwrap();
            assert_eq!(got, BYTES, "{errno:?} at call {k}");
        }
    }
}

#[test]
fn tee_says_how_much_and_consumes_nothing() {
    for (fault, fails) in [
        (Fault::Short(3), false),
        (Fault::Errno(Errno::INTR.raw_os_error()), false),
        (Fault::Errno(Errno::AGAIN.raw_os_error()), false),
        (Fault::Errno(Errno::IO.raw_os_error()), true),
    ] {
        let ((mut exit, mut entry), (mut second, into)) =
            (io::pipe().unwrap(), io::pipe().unwrap());
        entry.write_all(BYTES).unwrap();
        drop(entry);
        let (faults, _) = at_call(0, fault);
        let guard = script(faults);
        let given = tee(&exit, &into, usize::MAX);
        drop((guard, into));
        assert_eq!(given.is_err(), fails, "{fault:?}");
        let (mut got, mut kept) = (Vec::new(), Vec::new());
        second.read_to_end(&mut got).unwrap();
        exit.read_to_end(&mut kept).unwrap();
        assert_eq!(got, &BYTES[..given.unwrap_or(0)], "{fault:?}");
        assert_eq!(kept, BYTES, "{fault:?}");
    }
}
