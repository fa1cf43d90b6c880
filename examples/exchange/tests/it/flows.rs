//! Flows out of a seed: what comes of them in every mode, and on every machine.

use crate::{
    naive::Naive,
    record::{List, WAYS, all, run},
};
use aqueduct_testkit::scale;
use exchange::{Accounts, Exchange, Mode, Opening, Order, flow::MARKET, generate::Generated};
use std::time::Instant;

fn openings(units: u64) -> Vec<Opening> {
    Generated::openings(units).collect()
}

fn every_way(seed: u64, count: u64, units: u64) -> (Vec<Order>, Vec<String>) {
    let orders = all(Generated::new(seed, count));
    let [first, others @ ..] =
        WAYS.map(|way| run(Generated::accounts(units).expect("sound"), &[MARKET], &orders, way));
    assert!(others.iter().all(|lines| *lines == first), "seed {seed}");
    (orders, first)
}

fn digest(lines: &[String]) -> u64 {
    // FNV-1a.
    lines
        .iter()
        .flat_map(|line| line.bytes().chain([b'\n']))
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[test]
fn the_flow_has_its_digest() {
    let (orders, lines) = every_way(1, 20_000, 10_000);
    let mut naive = Naive::new(&[MARKET], openings(10_000), 2, Accounts::MOST_RESTING as usize);
    orders.iter().for_each(|order| naive.execute(order));
    assert!(naive.finish() == lines);
    let count = |what| lines.iter().filter(|line| line.starts_with(what)).count();
    let counts = ["accepted", "trade", "refused", "rests"].map(count);
    assert_eq!((counts, digest(&lines)), (COUNTS, DIGEST), "{:#x}", digest(&lines));
}

/// Accepted, traded, refused, resting.
const COUNTS: [usize; 4] = [13_863, 8_402, 4_152, 3_410];
const DIGEST: u64 = 0xdd8f_9cbb_8f0f_eed8;

/// Users that have next to nothing: the verdict hangs on what was settled just before.
#[test]
fn poor_users_get_the_same_on_four_threads() {
    for seed in 0..scale(5) as u64 {
        let (_, lines) = every_way(seed, 10_000, 1 + seed % 3);
        let refused = lines.iter().filter(|line| line.ends_with("insufficient funds")).count();
        assert!(refused > 500, "{refused}");
    }
}

/// Clients choose ids. With a hash that anybody can turn round, ids that collide would take quadratic time.
#[test]
fn ids_that_collide_elsewhere_take_no_more_time() {
    const ORDERS: u64 = 6_000;
    // The inverse of rustc-hash's factor.
    let factor = 0xf135_7aea_2e62_a9c5_u64;
    let inverse = (0..6).fold(factor, |inverse, _| {
        inverse.wrapping_mul(2u64.wrapping_sub(factor.wrapping_mul(inverse)))
    });
    let took = |step: u64| {
        let order = |nth: u64| Order {
            id: nth.wrapping_mul(step),
            user: 1 + nth % 100,
            price: 1 + nth % 50,
            qty: 1,
            ..Order::default()
        };
        let orders: Vec<_> = (1..=ORDERS).map(order).collect();
        let run = |_| {
            let accounts = Generated::accounts(10_000).expect("sound");
            let mut exchange = Exchange::new(accounts, &[MARKET], 1 << 18, ((), (), ()));
            let begun = Instant::now();
            exchange.run(&mut List(orders.iter()), Mode::ZeroCopy, false).expect("no file");
            assert_eq!(exchange.settlement().tally().accepted, ORDERS);
            begun.elapsed()
        };
        (0..3).map(run).min().expect("three")
    };
    // It was 300 times as long.
    let (plain, colliding) = (took(1), took(inverse));
    assert!(colliding < 30 * plain, "{plain:?} for ids in a row, {colliding:?} for others");
}
