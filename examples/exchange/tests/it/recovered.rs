//! An exchange that is made again, of its log and its snapshots.

use crate::{
    log::{GROUP, PLAIN, disk::Disk},
    record::{List, Record, WAYS, all},
};
use aqueduct_testkit::Random;
use exchange::{
    Accounts, Exchange, Log, Market, Mode, Opening, Order,
    flow::MARKET,
    generate::Generated,
    log::{Damage, Encoding, Keeper, LogError, Options, Recovery},
};
use proptest::prelude::*;

const FEES: Market = Market { maker_fee: 500, taker_fee: 1_500, ..MARKET };

fn fresh(units: u64) -> Exchange<Record> {
    let accounts = Generated::accounts(units).unwrap();
    Exchange::new(accounts, &[FEES], 16, Default::default())
}

fn keeper(disk: &Disk, encoding: Encoding) -> Keeper<Disk> {
    let options = Options { encoding, segment: 100_000, fsync: GROUP };
    Keeper::new(Recovery::new(disk.clone()).unwrap().log(options).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// In each mode: a flow with snapshots at any place, and an end at any place. What is made again of
    /// snapshot and tail, of another snapshot, or of the whole log, knows the same.
    #[test]
    fn a_snapshot_and_what_is_behind_it_are_all(
        seed in any::<u64>(),
        parts in proptest::collection::vec(0usize..700, 1..5),
        way in 0usize..4,
        units in prop_oneof![Just(3u64), Just(1_000)],
        damage in any::<usize>(),
    ) {
        let ((mode, threads), disk) = (WAYS[way], Disk::new(1));
        let encoding = [Encoding::Archived, Encoding::Bincode][usize::from(seed.is_multiple_of(2))];
        let mut exchange = fresh(units).with_log(keeper(&disk, encoding)).0;
        let orders = all(Generated::new(seed, parts.iter().sum::<usize>() as u64 + 50));
        let mut rest = &orders[..];
        for part in parts {
            let (now, later) = rest.split_at(part);
            exchange.run(&mut List(now.iter()), mode, threads).unwrap();
            exchange.snapshot().unwrap();
            rest = later;
        }
        exchange.run(&mut List(rest.iter()), mode, threads).unwrap();
        let state = exchange.state().unwrap();
        let again = |recovery: &mut Recovery<Disk>| {
            let mut again = fresh(units);
            again.recover(recovery).unwrap();
            again
        };
        let mut recovery = Recovery::new(disk.clone()).unwrap();
        prop_assert!(recovery.snapshot().is_some());
        prop_assert!(again(&mut recovery).state().unwrap() == state);
        let mut whole = again(&mut Recovery::whole(disk.clone()).unwrap());
        prop_assert!(whole.state().unwrap() == state);
        prop_assert!(whole.parts().0 == exchange.parts().0);
        // A snapshot that is damaged is passed over.
        let newest = disk.list().into_iter().rfind(|name| name.ends_with(".snap")).unwrap();
        disk.edit(&newest, |file| { let at = damage % file.len(); file[at] ^= 1 });
        let mut recovered = again(&mut Recovery::new(disk.clone()).unwrap());
        prop_assert!(recovered.state().unwrap() == state);
        // And all of them go on alike.
        let more = all(Generated::new(seed ^ 1, 100));
        for exchange in [&mut recovered, &mut whole] {
            exchange.run(&mut List(more.iter()), mode, threads).unwrap();
        }
        prop_assert!(recovered.state().unwrap() == whole.state().unwrap());
    }
}

fn refused(exchange: &mut Exchange<impl exchange::Listener + Send>, disk: &Disk) -> LogError {
    exchange.recover(&mut Recovery::new(disk.clone()).unwrap()).unwrap_err()
}

#[test]
fn other_accounts_are_noticed() {
    let disk = Disk::new(1);
    let mut exchange = fresh(3).with_log(keeper(&disk, Encoding::Archived)).0;
    exchange.run(&mut Generated::new(1, 5_000), Mode::ZeroCopy, false).unwrap();
    drop(exchange);
    // One with less money refuses an order that was none to refuse.
    let error = refused(&mut fresh(1), &disk);
    let LogError::Damaged { segment, offset, damage: Damage::Verdict { seq } } = error else {
        panic!("{error}");
    };
    assert_eq!(segment, "00000000000000000001.log");
    assert_eq!(offset, 64 + 88 * (seq - 1));
    // With a snapshot the balances are the snapshot's; its users must be there.
    let mut exchange = fresh(3);
    exchange.recover(&mut Recovery::new(disk.clone()).unwrap()).unwrap();
    let state = exchange.state().unwrap();
    let mut exchange = exchange.with_log(keeper(&disk, Encoding::Archived)).0;
    exchange.snapshot().unwrap();
    drop(exchange);
    let mut poor = fresh(1);
    poor.recover(&mut Recovery::new(disk.clone()).unwrap()).unwrap();
    assert_eq!(poor.state().unwrap(), state);
    let one = [0, 1].map(|asset| Opening { user: 1, asset, avail: 1 << 40, frozen: 0 });
    let accounts = || Accounts::new(2, one).unwrap();
    let mut other = Exchange::new(accounts(), &[FEES], 16, ((), (), ()));
    let error = refused(&mut other, &disk);
    assert_eq!(
        error.to_string(),
        "00000000000000005000.snap: at byte 0: not a state of these accounts, markets and limits"
    );
}

/// What one limit refuses another does not: a log of one is none of the other's, nor a snapshot.
#[test]
fn another_limit_of_orders_that_rest_is_noticed() {
    let limited = |most| {
        let accounts = Generated::accounts(1_000).unwrap().with_most_resting(most);
        Exchange::new(accounts, &[FEES], 16, (Record::default(), (), ()))
    };
    let recovery =
        |disk: &Disk, of: &Exchange<Record>| Recovery::new(disk.clone()).unwrap().of(of.origin());
    let (disk, exchange) = (Disk::new(1), limited(5));
    let log = recovery(&disk, &exchange).log(PLAIN).unwrap();
    let mut exchange = exchange.with_log(Keeper::new(log)).0;
    exchange.run(&mut Generated::new(1, 5_000), Mode::ZeroCopy, false).unwrap();
    let (state, lines) = (exchange.state().unwrap(), &exchange.parts().0.0);
    assert!(lines.iter().filter(|line| line.ends_with("too many orders rest")).count() > 100);
    let mut same = limited(5);
    let mut log = recovery(&disk, &same);
    same.recover(&mut log).unwrap();
    assert!(same.state().unwrap() == state);
    let mut other = limited(6);
    let mut log = recovery(&disk, &other);
    let error = other.recover(&mut log).unwrap_err();
    assert!(matches!(error, LogError::Damaged { damage: Damage::Origin, .. }), "{error}");
    // A snapshot says it, too, where a log does not.
    exchange.snapshot().unwrap();
    drop(exchange);
    let error = refused(&mut limited(6), &disk);
    assert!(matches!(error, LogError::Damaged { damage: Damage::State, .. }), "{error}");
    limited(5).recover(&mut Recovery::new(disk.clone()).unwrap()).unwrap();
}

#[test]
fn a_verdict_is_compared_for_refused_orders_too() {
    let disk = Disk::new(1);
    let mut log = keeper(&disk, Encoding::Archived);
    // As risk has it, but for the last one, whose user there is.
    let mut orders = [1, 2, 3].map(|seq| Order {
        seq,
        id: seq,
        user: 1_000,
        price: 1,
        qty: 1,
        ..Order::default()
    });
    orders[2].user = 1;
    for mut order in orders {
        order.refuse(exchange::Refusal::User);
        log.record(&order);
    }
    assert!(log.rest(true));
    log.close().unwrap();
    let mut exchange = fresh(3);
    let error = refused(&mut exchange, &disk);
    let says =
        "00000000000000000001.log: at byte 240: order 3 does not come out as it was recorded";
    assert_eq!(error.to_string(), says);
    assert_eq!(exchange.orders(), 2);
    assert_eq!(exchange.settlement().tally().rejected, 2);
}

#[test]
fn bytes_that_are_no_state_are_refused() {
    let disk = Disk::new(1);
    let mut exchange = fresh(1_000).with_log(keeper(&disk, Encoding::Archived)).0;
    exchange.run(&mut Generated::new(1, 500), Mode::ZeroCopy, false).unwrap();
    let state = exchange.state().unwrap();
    drop(exchange);
    let mut random = Random::new(3);
    let mut log = Recovery::new(disk.clone()).unwrap().log(PLAIN).unwrap();
    let mut same = 0;
    for _ in 0..300 {
        let mut bytes = state.to_vec();
        bytes[random.below(state.len())] ^= 1 << random.below(8);
        bytes.truncate(if random.one_in(4) { random.below(state.len()) } else { state.len() });
        log.snapshot(500, &bytes).unwrap();
        // Sound to the log: it may be another state, but nothing panics.
        let recovered = fresh(1_000).recover(&mut Recovery::new(disk.clone()).unwrap());
        same += usize::from(recovered.is_ok());
    }
    assert!(same < 290, "{same}");
}
