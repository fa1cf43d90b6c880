//! Orders over TCP.

#![allow(clippy::cast_possible_truncation, reason = "fields that fit")]

mod codec;
mod faults;
mod idle;
mod killed;
mod limits;
mod load;
pub mod machine;
mod program;
mod sockets;

use aqueduct::Pool;
use exchange::{
    Exchange, Log,
    flow::MARKET,
    generate::Generated,
    serve::{Desk, Options, Served, serve},
};
use machine::Said;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::{runtime::Builder, sync::oneshot};

/// A front on a thread of its own.
pub struct Server {
    pub address: SocketAddr,
    pub pool: Pool,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Served>,
}

impl Server {
    pub fn new(options: Options) -> Self {
        Self::with(options, (), || u64::MAX)
    }

    /// One that receives as it can, and one that does without io_uring.
    pub fn both() -> [Self; 2] {
        [true, false]
            .map(|uring| Self::new(Options { uring, pool: Pool::new(), ..Options::default() }))
    }

    pub fn with<G: Log + 'static>(
        options: Options,
        log: G,
        durable: impl Fn() -> u64 + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 4096).unwrap();
        let (address, pool) = (listener.local_addr().unwrap(), options.pool.clone());
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let accounts = Generated::accounts(10_000).unwrap();
            let desk = Desk::new(&accounts, options);
            let mut exchange = Exchange::new(accounts, &[MARKET], 1 << 12, (desk, log, ()));
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            tell.send(()).unwrap();
            let stop = async { drop(stopped.await) };
            serve((&runtime, listener), &mut exchange, durable, stop).unwrap()
        });
        told.recv().unwrap();
        Self { address, pool, stop, thread }
    }

    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.set_nodelay(true).unwrap();
        socket
    }

    /// What it did, when it has answered all; no block is out then.
    pub fn end(self) -> Served {
        let _ = self.stop.send(());
        let served = self.thread.join().unwrap();
        assert_eq!(self.pool.outstanding(), 0);
        served
    }
}

/// A frame, made field by field.
pub fn frame(said: Said) -> [u8; 64] {
    let [what, levels, tag, id, user, price, qty, symbol, side, kind, tif] = said;
    let mut bytes = vec![0xae, 1, what as u8, side as u8, kind as u8, tif as u8];
    bytes.extend((levels as u16).to_le_bytes());
    [tag, id, user, price, qty].iter().for_each(|word| bytes.extend(word.to_le_bytes()));
    bytes.extend((symbol as u32).to_le_bytes());
    bytes.resize(64, 0);
    bytes.try_into().unwrap()
}

pub fn place(tag: u64, id: u64, user: u64, side: u64, price: u64, qty: u64) -> [u8; 64] {
    frame([1, 0, tag, id, user, price, qty, 0, side, 0, 0])
}

pub fn ask(what: u64, tag: u64) -> [u8; 64] {
    let levels = if what == 5 || what == 7 { 4 } else { 0 };
    frame([what, levels, tag, 0, 1, 0, 0, 0, 0, 0, 0])
}

pub const PING: u64 = 9;

/// Type, code, the two small fields, and the words of the next frame.
pub fn told(socket: &mut TcpStream) -> ([u8; 4], [u64; 7]) {
    let mut frame = [0; 64];
    socket.read_exact(&mut frame).unwrap();
    assert_eq!(frame[..2], [0xae, 1]);
    let words = std::array::from_fn(|at| {
        u64::from_le_bytes(frame[8 + 8 * at..16 + 8 * at].try_into().unwrap())
    });
    (frame[2..6].try_into().unwrap(), words)
}

/// The answer to a request: its tag and code.
pub fn answer(socket: &mut TcpStream) -> (u64, u8) {
    let ([what, code, ..], [tag, ..]) = told(socket);
    assert_eq!(what, 0x81);
    (tag, code)
}

pub fn say(socket: &mut TcpStream, frames: &[[u8; 64]]) {
    socket.write_all(frames.as_flattened()).unwrap();
}

/// Everything up to the end.
pub fn rest(socket: &mut TcpStream) -> Vec<u8> {
    let mut out = Vec::new();
    socket.read_to_end(&mut out).unwrap();
    out
}
