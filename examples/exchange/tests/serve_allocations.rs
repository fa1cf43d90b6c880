//! Allocations and copies of an order from the socket to its slot and back, in steady state over a real
//! socket, counted by an allocator of this test's own.

#![allow(clippy::disallowed_methods, reason = "a test writes what it reads")]

use aqueduct::{Pool, meter};
use aqueduct_testkit::CountingAlloc;
use exchange::{
    Exchange, Order, Source,
    flow::MARKET,
    generate::Generated,
    serve::{Desk, FRAME, Options, serve},
};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};
use tokio::{runtime::Builder, sync::oneshot};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const ORDERS: u64 = 60_000;
/// No multiple of what a socket gives at once.
const TOGETHER: usize = 777;

/// A frame for each order of a flow, and a ping behind every [`TOGETHER`] of them.
fn frames() -> Vec<u8> {
    let (mut flow, mut order, mut frames) =
        (Generated::new(3, ORDERS), Order::default(), Vec::new());
    while flow.next(&mut order).expect("made up") {
        let Order { id, user, price, qty, action, side, kind, tif, .. } = order;
        frames.extend([0xae, 1, action as u8 + 1, side as u8, kind as u8, tif as u8, 0, 0]);
        for word in [id, id, user, price, qty, 0, 0] {
            frames.extend(word.to_le_bytes());
        }
        if frames.len() / FRAME % (TOGETHER + 1) == TOGETHER {
            frames.extend([0xae, 1, 9]);
            frames.extend([0; FRAME - 3]);
        }
    }
    frames
}

/// Sends what ends with a ping, and reads up to its answer. How many frames came.
fn exchange_all(socket: &mut TcpStream, frames: &[u8], block: &mut [u8]) -> usize {
    socket.write_all(frames).expect("sent");
    let mut len = 0;
    loop {
        len += socket.read(&mut block[len..]).expect("answered");
        assert!(len < block.len());
        let last = &block[len.saturating_sub(FRAME)..len];
        if len % FRAME == 0 && last[2..5] == [0x81, 0, 9] {
            return len / FRAME;
        }
    }
}

/// Allocations, copies and bytes copied while the second half of the orders is answered.
fn counted(uring: bool) -> [u64; 3] {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let mut socket = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
    let (stop, stopped) = oneshot::channel::<()>();
    let server = std::thread::spawn(move || {
        let accounts = Generated::accounts(10_000).expect("sound");
        let desk = Desk::new(&accounts, Options { uring, pool: Pool::new(), ..Options::default() });
        let mut exchange = Exchange::new(accounts, &[MARKET], 1 << 16, (desk, (), ()));
        let runtime = Builder::new_current_thread().enable_all().build().expect("made");
        let stop = async { drop(stopped.await) };
        serve((&runtime, listener), &mut exchange, || u64::MAX, stop).expect("served");
        exchange.settlement().tally()
    });
    let (frames, mut block) = (frames(), vec![0; 1 << 20]);
    let (chunks, _) = frames.as_chunks::<{ FRAME * (TOGETHER + 1) }>();
    let (first, second) = chunks.split_at(chunks.len() / 2);
    for chunk in first {
        exchange_all(&mut socket, chunk, &mut block);
    }
    let (before, copied) = (CountingAlloc::process().allocations, meter::process());
    let mut told = 0;
    for chunk in second {
        told += exchange_all(&mut socket, chunk, &mut block);
    }
    let (after, copies) = (CountingAlloc::process().allocations, meter::process() - copied);
    assert!(told > second.len() * (TOGETHER + 1), "answers and fills");
    drop(socket);
    let _ = stop.send(());
    let tally = server.join().expect("ended");
    assert!(tally.trades > ORDERS / 10 && tally.accepted > ORDERS / 3, "{tally:?}");
    [after - before, copies.copies, copies.bytes]
}

/// One test: its counters are the whole process's.
#[test]
fn an_order_from_a_socket_is_not_copied_and_takes_no_memory() {
    for uring in [true, false] {
        // A first reading allocates.
        let _ = meter::process();
        assert_eq!(counted(uring), [0; 3], "io_uring: {uring}");
    }
}
