//! How many orders a second one client gets through.

use super::{Server, frame, place};
use aqueduct::Pool;
use aqueduct_testkit::scale;
use exchange::{Action, Order, Source, generate::Generated, serve::Options};
use std::{
    io::{Read, Write},
    net::Shutdown,
    time::Instant,
};

/// The frames of a made up flow.
pub fn flow(orders: u64) -> Vec<u8> {
    let (mut flow, mut order) = (Generated::new(7, orders), Order::default());
    let mut bytes = Vec::new();
    while flow.next(&mut order).unwrap() {
        let Order { id, user, price, qty, side, kind, tif, .. } = order;
        bytes.extend(match order.action {
            Action::Place if kind as u8 == 0 && tif as u8 == 0 => {
                place(id, id, user, side as u64, price, qty)
            }
            action => {
                let small = [side as u64, kind as u64, tif as u64];
                let [side, kind, tif] = small;
                frame([1 + action as u64, 0, id, id, user, price, qty, 0, side, kind, tif])
            }
        });
    }
    bytes
}

#[test]
fn serve_load_of_one_client_that_does_not_wait() {
    let orders = scale(20_000);
    let flow = flow(orders as u64);
    for uring in [true, false] {
        let server = Server::new(Options { uring, pool: Pool::new(), ..Options::default() });
        let mut socket = server.connect();
        let mut reader = socket.try_clone().unwrap();
        let begun = Instant::now();
        let read = std::thread::spawn(move || {
            let (mut block, mut bytes) = (vec![0; 1 << 18], 0);
            while let Ok(count @ 1..) = reader.read(&mut block) {
                bytes += count;
            }
            bytes
        });
        socket.write_all(&flow).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let bytes = read.join().unwrap();
        let rate = orders as f64 / begun.elapsed().as_secs_f64();
        println!("io_uring {uring}: {rate:.0} orders/s, {} answers and fills", bytes / 64);
        assert!(bytes / 64 >= orders, "each is answered");
        drop(socket);
        server.end();
    }
}
