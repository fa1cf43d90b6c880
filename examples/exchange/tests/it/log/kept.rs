//! The log as a stage, on a disk that is full for a while, or fails: what is refused, what is kept, and that
//! nothing is lost that was acknowledged.

use super::disk::Disk;
use crate::record::{Record, WAYS, all, run, said};
use aqueduct_testkit::{Random, scale};
use exchange::{
    Error, Exchange, Log, MOST_AT_ONCE, Mode, Order, Refusal, Source,
    flow::MARKET,
    generate::Generated,
    log::{Encoding, Fsync, Keeper, LogError, Options, Recovery},
};
use std::{sync::atomic::Ordering, time::Duration};

const ORDERS: u64 = 20_000;

fn options(mode: Mode, fsync: Fsync) -> Options {
    Options { fsync, encoding: Encoding::of(mode), segment: 1 << 19 }
}

/// A flow in whose course something happens to a disk.
struct Weather<F> {
    flow: Generated,
    seen: u64,
    happens: F,
}

impl<F: FnMut(u64)> Source for Weather<F> {
    fn next(&mut self, order: &mut Order) -> Result<bool, Error> {
        self.seen += 1;
        (self.happens)(self.seen);
        self.flow.next(order)
    }
}

type Logged = Exchange<Record, Keeper<Disk>>;

fn logged(disk: &Disk, options: Options) -> Logged {
    let log = Recovery::new(disk.clone()).unwrap().log(options).unwrap();
    let parts = (Record::default(), Keeper::new(log), ());
    Exchange::new(Generated::accounts(100).unwrap(), &[MARKET], 1 << 12, parts)
}

/// What is said, but for what the log refused; and how often it did.
fn taken(exchange: &mut Logged) -> (Vec<String>, usize) {
    let mut lines = said(exchange);
    let (all, refusal) = (lines.len(), Refusal::Log.to_string());
    lines.retain(|line| !line.ends_with(&refusal));
    let refused = all - lines.len();
    (lines, refused)
}

/// All that the log has, in order and without a gap.
fn recorded(disk: &Disk) -> Vec<Order> {
    let (mut recovery, mut orders) = (Recovery::whole(disk.clone()).unwrap(), Vec::new());
    while let Some(logged) = recovery.read().unwrap() {
        orders.push(logged.order());
        assert_eq!(logged.order().seq, orders.len() as u64);
    }
    orders
}

const GROUPS: [Fsync; 3] =
    [Fsync::Group { every: Duration::MAX, orders: 500 }, Fsync::Never, Fsync::Each];

#[test]
fn a_disk_that_is_full_for_a_while_refuses_orders_for_a_while() {
    for (mode, threads) in WAYS {
        for fsync in GROUPS {
            let disk = Disk::new(1);
            let mut exchange = logged(&disk, options(mode, fsync));
            let happens = |seen| match seen {
                5_000 => disk.room(10_000),
                10_000 => disk.room(usize::MAX),
                _ => {}
            };
            let flow = Generated::new(4, ORDERS);
            let mut weather = Weather { flow, seen: 0, happens };
            exchange.run(&mut weather, mode, threads).unwrap();
            let keeper = exchange.parts().1;
            assert!(keeper.error().is_none(), "there is room again");
            assert_eq!(keeper.durable().load(Ordering::Relaxed), exchange.orders());
            let (lines, refused) = taken(&mut exchange);
            let recorded = recorded(&disk);
            assert_eq!(recorded.len() as u64, exchange.orders());
            assert_eq!(recorded.len() + refused, usize::try_from(ORDERS).unwrap());
            assert!(refused > 1_000 && recorded.len() > 12_000, "{refused} {mode:?} {threads}");
            let accounts = Generated::accounts(100).unwrap();
            let alone = run(accounts, &[MARKET], &recorded, (Mode::ZeroCopy, false));
            assert!(alone == lines, "{mode:?} {threads} {fsync:?}");
        }
    }
}

/// No room from the start: nothing is taken, and nothing is changed.
#[test]
fn a_disk_without_room_takes_nothing_but_what_fits_in_memory() {
    for (mode, threads) in WAYS {
        let disk = Disk::new(2);
        let mut exchange = logged(&disk, options(mode, GROUPS[0]));
        disk.room(0);
        let mut flow = Generated::new(5, ORDERS);
        exchange.run(&mut flow, mode, threads).unwrap();
        let orders = exchange.orders();
        assert!((500..3_000).contains(&orders), "{orders}");
        let error = exchange.parts().1.error().unwrap().to_string();
        assert!(error.contains("cannot write 00000000000000000001.log"), "{error}");
        // Again, and with room again: what waited in memory is written.
        exchange.run(&mut Generated::new(6, 100), mode, threads).unwrap();
        assert_eq!(exchange.orders(), orders);
        disk.room(usize::MAX);
        exchange.run(&mut Generated::new(7, 100), mode, threads).unwrap();
        assert_eq!(exchange.orders(), orders + 100);
        assert_eq!(recorded(&disk).len() as u64, orders + 100);
    }
}

/// Writes that fail, syncs that fail, and a machine that stops: what was called durable is there, and what is
/// there is what was taken.
#[test]
fn kept_orders_outlive_a_disk_that_fails() {
    let mut closed = 0;
    for seed in 0..scale(24) as u64 {
        let mut random = Random::new(seed + 1);
        let (mode, threads) = WAYS[random.below(4)];
        let group = Fsync::Group { every: Duration::MAX, orders: random.below(900) as u64 };
        let fsync = [group, group, Fsync::Each][random.below(3)];
        let disk = Disk::new(seed + 1);
        let mut exchange = logged(&disk, options(mode, fsync));
        let from = random.below(4_000) as u64;
        let one_in = [2, 20, 200][random.below(3)];
        let happens = |seen| match seen {
            _ if seen == from => disk.failing(one_in),
            _ if seen == from + 1_000 => disk.failing(0),
            _ => {}
        };
        let flow = Generated::new(seed, 6_000);
        exchange.run(&mut Weather { flow, seen: 0, happens }, mode, threads).unwrap();
        disk.failing(0);
        let keeper = exchange.parts().1;
        let durable = keeper.durable().load(Ordering::Relaxed);
        let error = keeper.error().map(ToString::to_string);
        if keeper.error().is_some() {
            // What was only not written is tried again, so this is a sync that failed.
            assert!(matches!(keeper.error(), Some(LogError::Sync { .. })), "{error:?}");
            closed += 1;
            let orders = exchange.orders();
            exchange.run(&mut Generated::new(seed, 100), mode, threads).unwrap();
            assert_eq!(exchange.orders(), orders, "a closed log takes nothing");
        }
        let all_taken = exchange.orders();
        let refused = taken(&mut exchange).1 as u64;
        assert!(all_taken + refused >= 6_000);
        drop(exchange);
        disk.power_cut();
        let recorded = recorded(&disk);
        let there = recorded.len() as u64;
        assert!(durable <= there && there <= all_taken, "{durable} {there}, seed {seed}");
        assert!(error.is_some() || durable == all_taken, "seed {seed}");
        let flow = all(Generated::new(seed, 6_000));
        let mut flow = flow.iter();
        for order in &recorded {
            let found = flow.any(|other| {
                (other.id, other.price, other.qty) == (order.id, order.price, order.qty)
            });
            assert!(found, "order {} was never asked for, seed {seed}", order.seq);
        }
    }
    assert!(closed > 0, "no sync failed");
}

/// As the contract allows it at the worst: as many as ever between two rests, and as many on their way when
/// there is no room any more.
#[test]
fn there_is_room_for_all_that_are_on_their_way() {
    for mode in [Mode::ZeroCopy, Mode::Copying] {
        let (disk, mut random) = (Disk::new(3), Random::new(8));
        let orders = super::orders(60_000, 9);
        // Written for the sake of room alone.
        let options = options(mode, Fsync::Group { every: Duration::MAX, orders: u64::MAX });
        let log = Recovery::new(disk.clone()).unwrap().log(options).unwrap();
        let mut keeper = Keeper::new(log);
        let mut orders = orders.iter();
        let mut record = |keeper: &mut Keeper<Disk>, count: usize| {
            orders.by_ref().take(count).for_each(|order| keeper.record(order));
            orders.len() > 0
        };
        for round in 0.. {
            assert!(keeper.rest(false), "there is room again");
            // Mostly with something in memory.
            if random.one_in(2) {
                record(&mut keeper, random.below(400));
                assert!(keeper.rest(false));
            }
            disk.room(random.below(9_000));
            let more = record(&mut keeper, MOST_AT_ONCE);
            if !keeper.rest(false) {
                record(&mut keeper, MOST_AT_ONCE);
                assert!(!keeper.rest(false), "not yet, in round {round}");
            }
            disk.room(usize::MAX);
            if !more {
                break;
            }
        }
        assert!(keeper.rest(true));
        assert_eq!(recorded(&disk), super::orders(60_000, 9));
    }
}
