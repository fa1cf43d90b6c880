//! `ZeroCopySender` over real connections.
//!
//! Over loopback the kernel copies, but late: what the peer has no room for lies in the queue as
//! references to our pages. So all that is said of blocks in flight is seen there, too.

use aqueduct_base::meter;
use aqueduct_os::{ZeroCopyAnswer, ZeroCopyChoice, ZeroCopySender};
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{Random, pattern, skip};
use rustix::net::sockopt;
use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    os::fd::AsFd,
    thread,
    time::{Duration, Instant},
};

/// Whatever is longer than a handle, also over loopback.
pub(crate) const ALWAYS: ZeroCopyChoice = ZeroCopyChoice { least: 1, local: true };

/// A socket with room for megabytes, and a peer with room for what the system gives it: a mebibyte does
/// not fit. (Less room, and TCP waits 200 ms for each piece that is read.)
pub(crate) fn connect() -> (TcpStream, TcpStream) {
    connect_over(TcpListener::bind("127.0.0.1:0").unwrap())
}

fn connect_over(listener: TcpListener) -> (TcpStream, TcpStream) {
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    sockopt::set_socket_send_buffer_size(&socket, 4 << 20).unwrap();
    let peer = listener.accept().unwrap().0;
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    (socket, peer)
}

/// A block of the pool that is all `byte`.
pub(crate) fn block(pool: &Pool, len: usize, byte: u8) -> SliceMut {
    let mut block = pool.get(len);
    block.resize(len, byte);
    block
}

pub(crate) fn read_all(mut peer: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    peer.read_to_end(&mut all).unwrap();
    all
}

/// Waits for what others do, for ten seconds at most.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "{what} does not come");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Random bytes in random pieces, of blocks, of vectors, inline and static.
pub(crate) fn random_sequence(pool: &Pool, random: &mut Random, len: usize) -> (Sequence, Vec<u8>) {
    let bytes = pattern(len, random.below(251));
    let (mut data, mut at) = (Sequence::new(), 0);
    while at < len {
        let most = [30, 5_000, 70_000, 600_000][random.below(4)];
        let end = len.min(at + 1 + random.below(most));
        let piece = &bytes[at..end];
        data.push(match random.below(3) {
            0 => Slice::copy_from_slice(piece),
            1 => Slice::from(piece.to_vec()),
            _ => {
                let mut block = pool.get(piece.len());
                block.extend_from_slice(piece);
                block.freeze()
            }
        });
        at = end;
    }
    (data, bytes)
}

#[test]
fn random_slices_arrive_as_they_are() {
    let mut random = Random::unlike_others();
    for turn in 0..30 {
        let pool = Pool::new();
        let (socket, mut peer) = connect();
        let choice = [ALWAYS, ZeroCopyChoice { least: 32 * 1024, local: true }, Default::default()];
        let mut sender = ZeroCopySender::with_choice(socket, choice[turn % 3]).unwrap();
        let sizes = [0, 1, 23, 24, 4_096, random.below(65_536), random.below(1 << 20), 1 << 20];
        let all: Vec<_> =
            sizes.iter().map(|&len| random_sequence(&pool, &mut random, len)).collect();
        let slow = random.one_in(2);
        let receiving = thread::spawn(move || {
            let (mut all, mut some) = (Vec::new(), vec![0; 60_000]);
            while let Ok(count @ 1..) = peer.read(&mut some) {
                all.extend_from_slice(&some[..count]);
                if slow && all.len() % 5 == 0 {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            all
        });
        let mut expected = Vec::new();
        let copied = meter::thread().bytes;
        for (mut data, bytes) in all {
            sender.send(&mut data).unwrap();
            assert!(data.is_empty());
            expected.extend(bytes);
        }
        assert_eq!(meter::thread().bytes, copied, "nothing is copied here");
        assert!(sender.settle(Some(Duration::from_secs(10))).unwrap());
        assert_eq!((sender.in_flight(), pool.outstanding()), (0, 0));
        let stats = sender.stats();
        assert_eq!(stats.zero_copy_bytes + stats.plain_bytes, expected.len() as u64);
        drop(sender);
        assert!(receiving.join().unwrap() == expected, "turn {turn}");
    }
}

#[test]
fn blocks_are_held_until_the_kernel_is_done_and_no_longer() {
    let pool = Pool::new();
    let (socket, mut peer) = connect();
    let mut sender = ZeroCopySender::with_choice(socket, ALWAYS).unwrap();
    sender.send(&mut Sequence::from(block(&pool, 1 << 20, 1))).unwrap();
    assert!(!sender.settle(Some(Duration::from_millis(50))).unwrap(), "nobody has read it");
    assert_eq!((sender.in_flight(), pool.outstanding()), (1, 1));
    let reading = thread::spawn(move || {
        peer.read_exact(&mut vec![0; 1 << 20]).unwrap();
        peer
    });
    assert!(sender.settle(Some(Duration::from_secs(10))).unwrap());
    assert_eq!((sender.in_flight(), pool.outstanding()), (0, 0));
    drop(reading.join().unwrap());
}

#[test]
fn over_loopback_the_kernel_copies_and_the_sender_stops_asking() {
    for address in ["127.0.0.1:0", "[::1]:0", "[::]:0"] {
        match TcpListener::bind(address) {
            Ok(listener) => switches_itself_off(listener),
            Err(_) => skip("no IPv6"),
        }
    }
}

fn switches_itself_off(listener: TcpListener) {
    let pool = Pool::new();
    let (socket, peer) = connect_over(listener);
    let mut sender = ZeroCopySender::with_choice(socket, ALWAYS).unwrap();
    assert_eq!(sender.answer(), ZeroCopyAnswer::None);
    sender.send(&mut Sequence::from(block(&pool, 5_000, 1))).unwrap();
    let receiving = thread::spawn(|| read_all(peer));
    assert!(sender.settle(Some(Duration::from_secs(10))).unwrap());
    assert_eq!(sender.answer(), ZeroCopyAnswer::Copied);
    sender.send(&mut Sequence::from(block(&pool, 6_000, 2))).unwrap();
    assert_eq!((sender.stats().zero_copy_bytes, sender.stats().plain_bytes), (5_000, 6_000));
    assert_eq!((sender.in_flight(), pool.outstanding()), (0, 0));
    drop(sender);
    assert_eq!(receiving.join().unwrap(), [vec![1; 5_000], vec![2; 6_000]].concat());
}

#[test]
fn a_sender_goes_where_its_socket_goes() {
    const fn sent_and_shared<T: Send + Sync>() {}
    const { sent_and_shared::<ZeroCopySender<TcpStream>>() };
    assert!(format!("{:?}", ZeroCopySender::new(connect().0)).contains("peer_is_local: true"));
}

#[test]
fn a_local_peer_is_not_tried_unless_asked_for() {
    let pool = Pool::new();
    let (socket, _peer) = connect();
    let mut sender = ZeroCopySender::new(socket).unwrap();
    sender.send(&mut Sequence::from(block(&pool, 1 << 20, 1))).unwrap();
    assert_eq!((sender.stats().plain_bytes, sender.stats().zero_copy_bytes), (1 << 20, 0));
    assert_eq!((sender.in_flight(), pool.outstanding()), (0, 0));
}

#[test]
fn a_second_sender_for_a_socket_is_refused() {
    let (socket, _peer) = connect();
    let again = socket.try_clone().unwrap();
    let sender = ZeroCopySender::new(socket).unwrap();
    assert_eq!(ZeroCopySender::new(again).unwrap_err().kind(), ErrorKind::AlreadyExists);
    let again = sender.socket().try_clone().unwrap();
    drop(sender);
    assert_eq!(ZeroCopySender::new(again).unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[test]
fn what_is_not_tcp_is_sent_plainly_and_what_is_not_connected_is_refused() {
    let (socket, peer) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut sender = ZeroCopySender::with_choice(socket, ALWAYS).unwrap();
    assert_eq!(sender.answer(), ZeroCopyAnswer::Unsupported);
    sender.send(&mut Sequence::from(vec![1; 50_000])).unwrap();
    drop(sender);
    assert!(read_all(peer) == vec![1; 50_000]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(ZeroCopySender::new(listener).unwrap_err().kind(), ErrorKind::NotConnected);
}

/// Fills the connection with blocks that nobody reads yet.
fn stalled(pool: &Pool) -> (ZeroCopySender<TcpStream>, TcpStream) {
    let (socket, peer) = connect();
    let mut sender = ZeroCopySender::with_choice(socket, ALWAYS).unwrap();
    for _ in 0..16 {
        sender.send(&mut Sequence::from(block(pool, 64 * 1024, 1))).unwrap();
    }
    assert!(pool.outstanding() > 8, "the peer has no room for them");
    (sender, peer)
}

#[test]
fn a_dropped_sender_keeps_its_blocks_until_the_kernel_is_done() {
    let pool = Pool::new();
    let (sender, peer) = stalled(&pool);
    let before = pool.outstanding();
    drop(sender);
    // Whoever fills blocks now does not send them to that peer.
    let others: Vec<_> = (0..32).map(|_| block(&pool, 64 * 1024, 0xee)).collect();
    assert_eq!(pool.outstanding(), before + 32);
    let got = read_all(peer);
    assert_eq!(got.len(), 1 << 20);
    assert!(got.iter().all(|&byte| byte == 1), "somebody else's bytes were sent");
    drop(others);
    eventually("the blocks' return", || pool.outstanding() == 0);
}

#[test]
fn a_peer_that_takes_nothing_is_given_up() {
    let pool = Pool::new();
    let (sender, peer) = stalled(&pool);
    sockopt::set_tcp_user_timeout(sender.socket(), 300).unwrap();
    drop(sender);
    eventually("the end of patience", || pool.outstanding() == 0);
    drop(peer);
}

#[test]
fn a_peer_that_resets_in_the_middle_gives_all_blocks_back() {
    for dropped in [false, true] {
        let pool = Pool::new();
        let (mut sender, mut peer) = stalled(&pool);
        peer.read_exact(&mut [0; 10_000]).unwrap();
        sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).unwrap();
        drop(peer);
        if dropped {
            drop(sender);
            eventually("the blocks' return", || pool.outstanding() == 0);
            continue;
        }
        let mut data = Sequence::from(block(&pool, 1 << 20, 2));
        let failed = loop {
            if let Err(failed) = sender.send(&mut data) {
                break failed;
            }
            data = Sequence::from(block(&pool, 1 << 20, 2));
        };
        assert!(matches!(failed.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe));
        assert!(!data.is_empty());
        drop(data);
        assert!(sender.settle(Some(Duration::from_secs(10))).unwrap());
        assert_eq!((sender.in_flight(), pool.outstanding()), (0, 0));
    }
}

#[test]
fn a_socket_that_does_not_wait_says_so_and_goes_on() {
    let pool = Pool::new();
    let (socket, peer) = connect();
    socket.set_nonblocking(true).unwrap();
    let mut sender = ZeroCopySender::with_choice(socket, ALWAYS).unwrap();
    let (mut data, bytes) = random_sequence(&pool, &mut Random::new(5), 40 << 20);
    assert_eq!(sender.send(&mut data).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(!data.is_empty() && data.len() < bytes.len());
    let receiving = thread::spawn(|| read_all(peer));
    while let Err(error) = sender.send(&mut data) {
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        thread::sleep(Duration::from_millis(1));
    }
    drop(sender);
    assert!(receiving.join().unwrap() == bytes);
    eventually("the blocks' return", || pool.outstanding() == 0);
}

#[test]
fn the_peer_can_be_answered_while_it_is_sent_to() {
    let pool = Pool::new();
    let (mut sender, mut peer) = stalled(&pool);
    peer.write_all(b"enough").unwrap();
    let mut said = [0; 6];
    sender.socket().read_exact(&mut said).unwrap();
    assert_eq!(&said, b"enough");
    // Several descriptors of one socket: the end comes when all of them are gone.
    let clone = sender.socket().as_fd().try_clone_to_owned().unwrap();
    sender.send(&mut Sequence::from(vec![1; 10])).unwrap();
    drop(sender);
    drop(clone);
    assert_eq!(read_all(peer).len(), (1 << 20) + 10);
    eventually("the blocks' return", || pool.outstanding() == 0);
}
