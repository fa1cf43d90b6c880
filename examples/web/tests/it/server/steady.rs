//! What many requests leave behind.

use super::{GET, HELLO, HELLO_LEN, Served, answer, hello};
use aqueduct_testkit::{resident_bytes, scale};
use std::io::Write;
use web::Timeouts;

#[test]
fn memory_is_flat_over_many_requests() {
    let server = Served::new(hello, Timeouts::default());
    let mut socket = server.connect();
    let batch = GET.repeat(100);
    let mut rounds = |rounds: usize| {
        for _ in 0..rounds {
            socket.write_all(&batch).unwrap();
            assert_eq!(answer(&mut socket, 100 * HELLO_LEN), HELLO.repeat(100));
        }
    };
    rounds(20);
    let Some(before) = resident_bytes() else { return };
    rounds(scale(100));
    let after = resident_bytes().unwrap();
    assert!(after < before + (8 << 20), "{before} bytes became {after}");
}
