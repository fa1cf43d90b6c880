//! Callbacks of users that panic, at every one of them: iterators, owners, wakers, descriptors.

use aqueduct_os::{ZeroCopyChoice, ZeroCopySender, write_all_vectored};
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use aqueduct_testkit::{Countdown, for_every_k, pattern};
use std::{
    io::Read,
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    slice, thread,
    time::{Duration, Instant},
};

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pieces whose every callback may panic.
struct Pieces<'a>(slice::Iter<'a, Vec<u8>>, &'a Countdown);

impl Clone for Pieces<'_> {
    fn clone(&self) -> Self {
        self.1.tick();
        Self(self.0.clone(), self.1)
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.1.tick();
        self.0.next().map(Vec::as_slice)
    }
}

/// Whatever panics, the same call again goes on behind what was written.
#[test]
fn t15_pieces_that_panic_are_written_once() {
    let pieces: Vec<_> = [1, 700, 0, 3, 90_000, 5, 200_000].map(|len| pattern(len, len)).into();
    let calls = for_every_k(|countdown| {
        let (mut reader, socket) = UnixStream::pair().unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut write = write_all_vectored(Pieces(pieces.iter(), countdown));
        let (mut got, mut room) = (Vec::new(), vec![0; 1 << 20]);
        while (write.done() as usize) < 290_709 {
            countdown.survive(|| write.step(&socket).unwrap());
            while got.len() < write.done() as usize {
                let count = reader.read(&mut room).unwrap();
                got.extend_from_slice(&room[..count]);
            }
        }
        assert_eq!(write.done(), 290_709);
        assert!(got == pieces.concat());
    });
    assert!(calls > 20, "{calls}");
}

/// Segments with an owner each, and their bytes.
pub fn owned(countdown: &Countdown, lens: &[usize]) -> (Sequence, Vec<u8>) {
    let parts: Vec<_> = lens.iter().map(|len| pattern(*len, *len)).collect();
    let made = parts.iter().map(|part| Slice::from_owner(countdown.value(part.clone())));
    (made.collect(), parts.concat())
}

/// What was taken off the front was sent, and nothing else, and every owner is let go of: by the sender, or by who
/// waits for the kernel in its place.
#[test]
fn t15_owners_that_panic_while_they_are_sent_without_a_copy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let scenario = |countdown: &Countdown, settles: bool| {
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut peer = listener.accept().unwrap().0;
        let choice = ZeroCopyChoice { local: true, ..Default::default() };
        let mut sender = ZeroCopySender::with_choice(socket, choice).unwrap();
        let Some((mut data, bytes)) =
            countdown.survive(|| owned(countdown, &[40_000, 100, 30_000]))
        else {
            return;
        };
        while !data.is_empty() {
            let before = data.len();
            let sent = countdown.survive(|| sender.try_send(&mut data).unwrap());
            assert!(sent.is_none_or(|sent| data.len() == before - sent));
        }
        while settles && countdown.survive(|| sender.settle(None).unwrap()) != Some(true) {}
        countdown.survive(|| drop(sender));
        let mut got = Vec::new();
        peer.read_to_end(&mut got).unwrap();
        assert!(got == bytes);
        let since = Instant::now();
        while countdown.made_and_dropped() != (3, 3) && since.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
    };
    for settles in [true, false] {
        let calls = for_every_k(|countdown| scenario(countdown, settles));
        assert_eq!(calls, 6, "three are made, and dropped");
    }
}
