//! [`Watched`]: a socket that says when its peer is gone, or sends what is no message, before timely panics
//! about it.

use super::frames::Frames;
use aqueduct::meter;
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use timely::communication::allocator::zero_copy::stream::Stream;

/// How long who has lost a peer keeps its end from the others: they lose that peer at the same time, and are to
/// name it.
const MOMENT: Duration = Duration::from_millis(200);

/// What became of the peers, and of this process.
#[derive(Debug, Default)]
pub(super) struct Losses {
    state: Mutex<Known>,
    over: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    sockets: Vec<TcpStream>,
    /// A peer that is gone, and how it was found.
    lost: Option<(usize, String)>,
    /// A peer that has said its last, and when.
    ended: Option<(usize, Instant)>,
    /// This process has failed itself: nobody is lost any more.
    broken: bool,
    /// No worker is left.
    over: bool,
}

impl Losses {
    fn state(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lost(&self) -> Option<(usize, String)> {
        self.state().lost.clone()
    }

    pub(super) fn ended(&self) -> Option<(usize, Instant)> {
        self.state().ended
    }

    /// Lets peers know that this process has failed: at once, unless it is for another that they lose as well.
    pub(super) fn break_off(&self) {
        if self.lost().is_some() {
            thread::sleep(MOMENT);
        }
        let mut state = self.state();
        state.broken = true;
        for socket in state.sockets.drain(..) {
            // What else could be wrong with it does not matter any more.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Lets threads end that wait since they lost their peers: nobody hears them any more.
    pub(super) fn over(&self) {
        self.state().over = true;
        self.over.notify_all();
    }

    /// Says that a peer is lost, and waits until no worker hears what comes then.
    fn lose(&self, peer: usize, why: String) {
        let mut state = self.state();
        if !state.broken {
            state.lost.get_or_insert((peer, why));
        }
        while !state.over {
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A socket to a peer. Once the peer is lost, or this process has failed, it waits until no worker is left,
/// and then lets timely's threads come to their end in order.
#[derive(Debug)]
pub(super) struct Watched {
    socket: TcpStream,
    peer: usize,
    losses: Arc<Losses>,
    frames: Frames,
    cut: bool,
}

impl Watched {
    /// A socket between one of the processes and this one, of so many workers each.
    pub(super) fn new(
        socket: TcpStream,
        [peer, own]: [usize; 2],
        workers: usize,
        losses: &Arc<Losses>,
    ) -> io::Result<Self> {
        losses.state().sockets.push(socket.try_clone()?);
        let range = |process: usize| (process * workers) as u64..((process + 1) * workers) as u64;
        let frames = Frames::new(range(peer), range(own));
        Ok(Self { socket, peer, losses: losses.clone(), frames, cut: false })
    }

    fn lose(&mut self, why: String) {
        self.losses.lose(self.peer, why);
        self.cut = true;
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cut {
            return Ok(self.frames.fill(buffer));
        }
        let Some(most) = self.frames.room(buffer.len()) else {
            return Ok(self.frames.pad(buffer));
        };
        let before = self.frames.clone();
        let why = match self.socket.read(&mut buffer[..most]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return self.read(buffer),
            Err(error) => format!("it is gone: {error}"),
            Ok(0) if self.frames.ended => return Ok(0),
            Ok(0) => "it is gone".to_owned(),
            Ok(read) => match self.frames.go(&buffer[..read]) {
                Ok(()) => {
                    if self.frames.ended {
                        self.losses.state().ended.get_or_insert((self.peer, Instant::now()));
                    }
                    let moved = self.frames.filled(read == buffer.len());
                    if moved > 0 {
                        // Timely will copy it, to the next slab.
                        meter::count_copy(moved);
                    }
                    return Ok(read);
                }
                Err(why) => format!("what it sends is damaged: {why}"),
            },
        };
        self.frames = before;
        self.lose(why);
        self.read(buffer)
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cut {
            return Ok(bytes.len());
        }
        match self.socket.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.write(bytes),
            Err(error) => {
                self.lose(format!("it is gone: {error}"));
                Ok(bytes.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Watched {
    fn try_clone(&self) -> io::Result<Self> {
        let (socket, losses) = (self.socket.try_clone()?, self.losses.clone());
        Ok(Self { socket, peer: self.peer, losses, frames: self.frames.clone(), cut: self.cut })
    }

    fn set_nonblocking(&self, yes: bool) -> io::Result<()> {
        self.socket.set_nonblocking(yes)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        // A peer that has read the end may be gone before.
        match self.socket.shutdown(how) {
            Err(error) if !self.cut && error.kind() != io::ErrorKind::NotConnected => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make what they compare")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{net::TcpListener, thread::JoinHandle};
    use timely::communication::{
        allocator::zero_copy::bytes_slab::{BytesRefill, BytesSlab},
        networking::MessageHeader,
    };

    /// Bytes of a head.
    const HEAD: usize = 48;

    fn sockets() -> (TcpStream, Watched, Arc<Losses>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let theirs = TcpStream::connect(address).expect("it listens");
        let (own, losses) = (listener.accept().expect("one connected").0, Arc::default());
        let watched = Watched::new(own, [0, 1], 2, &losses).expect("a socket");
        (theirs, watched, losses)
    }

    /// A message of so many bytes in all, which are its own.
    fn message(number: usize, length: usize) -> Vec<u8> {
        let words = [7, 1, 2, 4, length - HEAD, number].map(|word| (word as u64).to_be_bytes());
        let body = (HEAD..length).map(|at| (at ^ number.wrapping_mul(31)).to_le_bytes()[0]);
        words.concat().into_iter().chain(body).collect()
    }

    /// Sends messages and the last one, so many bytes at a time.
    fn send(mut socket: TcpStream, messages: &[Vec<u8>], cut: usize) -> JoinHandle<()> {
        let whole = [messages.concat(), vec![0; HEAD]].concat();
        thread::spawn(move || {
            whole.chunks(cut).for_each(|part| socket.write_all(part).expect("it is read"));
        })
    }

    /// What timely's thread does with a socket and slabs that begin so large.
    #[derive(Default)]
    struct Received {
        messages: Vec<Vec<u8>>,
        /// Before which message a slab was full, and how much of it was moved.
        moved: Vec<(usize, usize)>,
    }

    fn receive(watched: &mut Watched, shift: usize) -> Received {
        let logic = Arc::new(|size| Box::new(vec![0xee_u8; size]) as Box<_>);
        let mut slab = BytesSlab::new(shift, BytesRefill { logic, limit: None });
        let mut received = Received::default();
        loop {
            if slab.empty().is_empty() && !slab.valid().is_empty() {
                received.moved.push((received.messages.len(), slab.valid().len()));
            }
            slab.ensure_capacity(1);
            let read = watched.read(slab.empty()).expect("watched sockets do not fail");
            assert!(read > 0, "timely would panic");
            slab.make_valid(read);
            while let Some(header) = MessageHeader::try_read(slab.valid()) {
                let bytes = slab.extract(header.required_bytes());
                if header.length == 0 {
                    assert!(slab.valid().is_empty());
                    slab.ensure_capacity(1);
                    assert_eq!(watched.read(slab.empty()).expect("the end"), 0);
                    return received;
                }
                if header.target_lower < header.target_upper {
                    received.messages.push(bytes.to_vec());
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn only_messages_longer_than_any_before_are_moved_and_counted(
            lengths in prop::collection::vec(prop_oneof![49..200_usize, 49..5_000_usize], 1..60),
            shift in 8..14_usize,
            cut in 1..9_000_usize,
        ) {
            let sent: Vec<_> =
                lengths.iter().enumerate().map(|(at, length)| message(at, *length)).collect();
            let (theirs, mut watched, _) = sockets();
            let writes = send(theirs, &sent, cut);
            let before = meter::thread();
            let got = receive(&mut watched, shift);
            let counted = meter::thread() - before;
            writes.join().expect("all is written");
            prop_assert!(got.messages == sent, "what is handed on is what came");
            prop_assert_eq!(counted.copies, got.moved.len() as u64);
            prop_assert_eq!(counted.bytes, got.moved.iter().map(|(_, bytes)| *bytes as u64).sum::<u64>());
            // Where a longer one has left too little for padding, a part of a head is.
            let mut moved: Vec<_> =
                got.moved.iter().filter(|(_, bytes)| *bytes > HEAD).map(|(at, _)| *at).collect();
            moved.dedup();
            let moved: Vec<_> = moved.iter().map(|at| lengths.get(*at)).collect();
            prop_assert!(moved.is_sorted_by(|one, next| one < next), "{moved:?} of {lengths:?}");
        }
    }

    #[test]
    fn who_ends_for_another_tells_its_peers_a_moment_later() {
        let (mut theirs, _watched, losses) = sockets();
        losses.state().lost = Some((2, "it is gone".to_owned()));
        let begun = Instant::now();
        let ends = thread::spawn(move || losses.break_off());
        assert_eq!(theirs.read(&mut [0]).expect("its end"), 0);
        assert!(begun.elapsed() >= MOMENT);
        ends.join().expect("it ends");
    }

    #[test]
    fn messages_of_one_length_are_moved_once_at_most() {
        for (length, most) in [(100, 1), (1000, 1), (4000, 1), (4096, 0)] {
            let (theirs, mut watched, _) = sockets();
            let sent: Vec<_> = (0..40).map(|at| message(at, length)).collect();
            let writes = send(theirs, &sent, 10_000);
            let got = receive(&mut watched, 12);
            writes.join().expect("all is written");
            assert!(got.messages == sent && got.moved.len() <= most, "{length}: {:?}", got.moved);
        }
    }

    #[test]
    fn t19_a_stream_cut_at_every_byte_comes_to_its_end_in_slabs() {
        let sent = [60, 300, 49, 90, 300].map(|length| message(1, length));
        let whole = sent.concat();
        for cut in 0..=whole.len() {
            let (mut theirs, mut watched, losses) = sockets();
            theirs.write_all(&whole[..cut]).expect("it fits");
            drop(theirs);
            losses.over();
            let got = receive(&mut watched, 9).messages.concat();
            let same = got.iter().zip(&whole).take_while(|(got, sent)| got == sent).count();
            let begun = sent.iter().scan(0, |end, message| {
                *end += message.len();
                Some(*end)
            });
            let came = begun.filter(|end| *end <= cut).last().unwrap_or(0);
            assert!(came <= same && losses.lost().is_some(), "{cut}: {same}");
        }
    }
}
