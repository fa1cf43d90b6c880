//! The original's log, by an encoder written from its layout, becomes ours.

use crate::log::old::crc32;
use aqueduct_testkit::{Random, resident_bytes_of, scale};
use exchange::{
    Action, Kind, Order, Side, TimeInForce,
    log::{Folder, Options, Recovery},
    migrate::{Fault, MigrateError, Migrated, migrate},
};
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

fn record(kind: u8, epoch: u32, seq: u64, payload: &[u8]) -> Vec<u8> {
    let mut record = u16::try_from(payload.len()).unwrap().to_le_bytes().to_vec();
    record.extend([kind, 2]);
    record.extend(epoch.to_le_bytes());
    record.extend(seq.to_le_bytes());
    record.extend(crc32(payload).to_le_bytes());
    record.extend(payload);
    record
}

/// An order or a cancel, and what it becomes.
fn entry(seq: u64, random: &mut Random) -> (u8, Vec<u8>, Order) {
    let (id, user) = (random.seed(), random.below(1 << 40) as u64);
    if random.one_in(4) {
        let payload = [id.to_le_bytes(), user.to_le_bytes()].concat();
        let order = Order { seq, id, user, action: Action::Cancel, ..Order::default() };
        return (2, payload, order);
    }
    let (price, qty, at) = (random.seed(), random.seed(), random.seed());
    let symbol = u32::try_from(random.below(1 << 31)).unwrap();
    let [side, kind, tif] = [random.below(2), random.below(2), random.below(2)];
    let mut payload = [id, user].map(u64::to_le_bytes).concat();
    payload.extend(symbol.to_le_bytes());
    payload.extend([price, qty].map(u64::to_le_bytes).concat());
    payload.extend([side, kind, tif].map(|value| u8::try_from(value).unwrap()));
    payload.extend(at.to_le_bytes());
    assert_eq!(payload.len(), 47);
    let order = Order {
        seq,
        id,
        user,
        price,
        qty,
        at,
        symbol,
        side: [Side::Buy, Side::Sell][side],
        kind: [Kind::Limit, Kind::Market][kind],
        tif: [TimeInForce::Gtc, TimeInForce::Ioc][tif],
        ..Order::default()
    };
    (1, payload, order)
}

/// An old log of so many records, in three epochs, and what it becomes.
pub(crate) fn old(count: u64, seed: u64) -> (Vec<u8>, Vec<Order>) {
    let mut random = Random::new(seed);
    let (mut bytes, mut orders) = (Vec::new(), Vec::new());
    for at in 0..count {
        let (kind, payload, order) = entry(at + 1, &mut random);
        let (epoch, seq) = (at * 3 / count, at % count.div_ceil(3));
        bytes.extend(record(kind, u32::try_from(epoch).unwrap(), seq + 100, &payload));
        orders.push(order);
    }
    (bytes, orders)
}

/// A folder that is gone with this value.
struct Fresh(PathBuf);

impl Fresh {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("exchange-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn old(&self) -> PathBuf {
        self.0.join("old.wal")
    }

    fn new_log(&self) -> PathBuf {
        self.0.join("new")
    }

    fn migrate(&self) -> Result<Migrated, MigrateError> {
        migrate(&self.old(), &self.new_log(), &mut |_, at, of| assert!(at <= of))
    }

    /// What the new log holds; it can be opened, and go on.
    fn holds(&self) -> Vec<Order> {
        let mut recovery = Recovery::whole(Folder::open(self.new_log()).unwrap()).unwrap();
        let mut orders = Vec::new();
        while let Some(logged) = recovery.read().unwrap() {
            orders.push(logged.order());
        }
        let log = recovery.log(Options::default()).unwrap();
        assert_eq!(log.durable(), orders.len() as u64);
        orders
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn place(ended: Result<Migrated, MigrateError>) -> (u64, Fault) {
    match ended {
        Err(MigrateError::Damaged { offset, fault, .. }) => (offset, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_migrated_log_has_record_for_record_what_the_old_one_has() {
    let fresh = Fresh::new("whole");
    for count in [0, 1, 2, 30_000] {
        let (bytes, orders) = old(count, count + 1);
        fs::write(fresh.old(), bytes).unwrap();
        let _ = fs::remove_dir_all(fresh.new_log());
        assert_eq!(fresh.migrate().unwrap(), Migrated { records: count, resumed: 0 });
        assert!(fresh.holds() == orders);
        // Again, there is nothing to do.
        assert_eq!(fresh.migrate().unwrap(), Migrated { records: count, resumed: count });
    }
}

#[test]
fn migrate_refuses_a_bit_flipped_at_any_byte() {
    let fresh = Fresh::new("flips");
    let (whole, orders) = old(6, 7);
    let starts: Vec<usize> = orders
        .iter()
        .scan(0, |at, order| {
            let start = *at;
            *at += if order.action == Action::Cancel { 36 } else { 67 };
            Some(start)
        })
        .collect();
    for byte in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[byte] ^= 1 << (byte % 8);
        fs::write(fresh.old(), bytes).unwrap();
        let _ = fs::remove_dir_all(fresh.new_log());
        let record = starts.partition_point(|start| *start <= byte) - 1;
        let ended = fresh.migrate();
        if (3..16).contains(&(byte - starts[record])) {
            // Version, epoch and number have no checksum, but must fit those beside them. They are not
            // part of the order.
            if ended.is_err() {
                let (offset, fault) = place(ended);
                let near = starts[record] as u64
                    ..=starts.get(record + 1).map_or(whole.len(), |at| *at) as u64;
                assert!(near.contains(&offset), "{byte}: {fault}");
            }
            assert!(orders.starts_with(&fresh.holds()));
            continue;
        }
        assert_eq!(place(ended).0, starts[record] as u64, "byte {byte}");
        assert_eq!(fresh.holds(), orders[..record]);
        // When the file is as it was, the rest follows.
        fs::write(fresh.old(), &whole).unwrap();
        let resumed = record as u64;
        assert_eq!(fresh.migrate().unwrap(), Migrated { records: 6, resumed });
        assert_eq!(fresh.holds(), orders);
    }
}

#[test]
fn migrate_refuses_a_cut_at_any_byte() {
    let fresh = Fresh::new("cuts");
    let (whole, orders) = old(5, 8);
    let mut ends = vec![0];
    for order in &orders {
        ends.push(ends[ends.len() - 1] + if order.action == Action::Cancel { 36 } else { 67 });
    }
    for size in 0..whole.len() {
        fs::write(fresh.old(), &whole[..size]).unwrap();
        let _ = fs::remove_dir_all(fresh.new_log());
        let records = ends.iter().rposition(|end| *end <= size).unwrap();
        let ended = fresh.migrate();
        if ends[records] == size {
            assert_eq!(ended.unwrap().records, records as u64);
        } else {
            assert_eq!(place(ended), (ends[records] as u64, Fault::Cut));
        }
        assert_eq!(fresh.holds(), orders[..records]);
    }
}

#[test]
fn migrate_refuses_what_it_does_not_know() {
    let fresh = Fresh::new("unknown");
    let good = record(2, 0, 1, &[9; 16]);
    let side = [&[0; 36][..], &[2], &[0; 10]].concat();
    let cases = [
        (record(3, 0, 2, &[0; 16]), Fault::Type(3)),
        (record(1, 0, 2, &[0; 16]), Fault::Length { expected: 47, found: 16 }),
        (record(1, 0, 2, &side), Fault::Value { what: "side", found: 2 }),
        (record(2, 0, 1, &[0; 16]), Fault::Sequence { epoch: 0, found: 1 }),
        (record(2, 0, 3, &[0; 16]), Fault::Sequence { epoch: 0, found: 3 }),
    ];
    for (bad, fault) in cases {
        fs::write(fresh.old(), [&good[..], &bad, &good].concat()).unwrap();
        assert_eq!(place(fresh.migrate()), (36, fault));
        assert_eq!(fresh.holds().len(), 1);
    }
    fs::remove_file(fresh.old()).unwrap();
    assert!(matches!(fresh.migrate(), Err(MigrateError::Io { .. })));
}

/// A target that is another's is not touched.
#[test]
fn migrate_refuses_another_log() {
    let fresh = Fresh::new("another");
    let ((bytes, orders), (other, _)) = (old(50, 1), old(60, 2));
    fs::write(fresh.old(), bytes).unwrap();
    fresh.migrate().unwrap();
    fs::write(fresh.old(), &other).unwrap();
    let differs = fresh.migrate().unwrap_err();
    assert!(matches!(differs, MigrateError::Differs { seq: 1, offset: 0 }), "{differs}");
    assert!(fresh.holds() == orders);
    // One that has more than the old log, likewise.
    fs::write(fresh.old(), &old(50, 1).0[..0]).unwrap();
    let differs = fresh.migrate().unwrap_err();
    assert!(matches!(differs, MigrateError::Differs { seq: 1, offset: 0 }), "{differs}");
}

fn program(fresh: &Fresh) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exchange"));
    command.arg("migrate").arg(fresh.old()).arg(fresh.new_log());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn migrate_goes_on_after_it_was_killed_anywhere() {
    let fresh = Fresh::new("killed");
    let (bytes, orders) = old(60_000, 3);
    fs::write(fresh.old(), bytes).unwrap();
    let mut random = Random::unlike_others();
    let (mut killed, mut before) = (0, 0);
    for _ in 0..scale(12) {
        let mut child = program(&fresh).spawn().unwrap();
        sleep(Duration::from_micros(random.below(120_000) as u64));
        killed += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let held = fresh.holds();
        assert!(orders.starts_with(&held) && held.len() >= before, "{} after {before}", held.len());
        before = held.len();
        if before == orders.len() {
            before = 0;
            fs::remove_dir_all(fresh.new_log()).unwrap();
        }
    }
    eprintln!("killed {killed} times while it ran");
    let said = program(&fresh).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    assert!(String::from_utf8_lossy(&said.stdout).starts_with("60,000 records, "), "{said:?}");
    assert!(fresh.holds() == orders);
    let mut damaged = fs::read(fresh.old()).unwrap();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    fs::write(fresh.old(), damaged).unwrap();
    let said = program(&fresh).output().unwrap();
    let error = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(!said.status.success() && error.contains(": at byte "), "{error}");
    assert_eq!(error.lines().count(), 1);
}

/// 1.3 million records with `cargo xtask long`.
#[test]
fn migrate_takes_seconds_and_little_memory() {
    let fresh = Fresh::new("large");
    let count = scale(13_000) as u64;
    write_large(&fresh.old(), count);
    let start = Instant::now();
    let mut child = program(&fresh).spawn().unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(resident_bytes_of(child.id()).unwrap_or(0));
        sleep(Duration::from_millis(1));
    }
    let took = start.elapsed();
    assert!(child.wait().unwrap().success());
    let size = fs::metadata(fresh.old()).unwrap().len();
    eprintln!("{count} records, {size} bytes: {took:?}, {} KiB resident", most >> 10);
    assert!(most < 24 << 20, "{most} bytes");
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(fresh.migrate().unwrap(), Migrated { records: count, resumed: count });
}

fn write_large(path: &Path, count: u64) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    let mut random = Random::new(5);
    for seq in 1..=count {
        let (kind, payload, _) = entry(seq, &mut random);
        out.write_all(&record(kind, 1, seq, &payload)).unwrap();
    }
    out.flush().unwrap();
}
