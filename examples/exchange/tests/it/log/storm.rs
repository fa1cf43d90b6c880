//! A seeded simulation: a log, a disk that fails, processes that die and machines that stop. `cargo xtask
//! long log_storm` runs ten thousand seeds.

use super::{disk::Disk, made::order};
use aqueduct_testkit::{Random, scale};
use exchange::{
    Order,
    log::{Encoding, Fsync, Log, LogError, Options, Recovery},
};
use std::time::Duration;

/// What must be found, and what may be.
#[derive(Default)]
struct Model {
    /// Every order that was taken.
    taken: Vec<Order>,
    acknowledged: u64,
    /// The last snapshot that was acknowledged.
    snapshot: u64,
    /// Whether what was acknowledged last was never synced.
    unsynced: bool,
    /// The machine stopped then: less may be found, or nothing that makes sense.
    lawless: bool,
}

impl Model {
    /// The state behind an order, as a snapshot has it.
    fn state(&self, seq: u64) -> Vec<u8> {
        let sum = self.taken[..usize::try_from(seq).unwrap()]
            .iter()
            .fold(seq, |sum, order| sum.rotate_left(5) ^ order.id);
        sum.to_le_bytes().repeat(1 + usize::try_from(seq % 300).unwrap())
    }

    /// Opens the log, and holds what is read against what must be.
    fn open(&mut self, disk: &Disk, options: Options) -> Result<Log<Disk>, LogError> {
        let mut recovery = Recovery::new(disk.clone())?;
        let mut seq = 0;
        if let Some(snapshot) = recovery.snapshot() {
            seq = snapshot.seq;
            assert!(snapshot.bytes == self.state(seq), "the state at {seq}");
        }
        assert!(seq >= self.snapshot || self.lawless, "{seq} of snapshot {}", self.snapshot);
        while let Some(logged) = recovery.read()? {
            let (index, order) = (usize::try_from(seq).unwrap(), logged.order());
            seq += 1;
            assert_eq!(self.taken.get(index), Some(&order), "order {seq} is another");
        }
        assert!(seq >= self.acknowledged || self.lawless, "{seq} of {}", self.acknowledged);
        let log = recovery.log(options)?;
        assert_eq!((log.next(), log.durable()), (seq + 1, seq));
        self.taken.truncate(usize::try_from(seq).unwrap());
        (self.acknowledged, self.lawless) = (seq, false);
        self.unsynced = options.fsync == Fsync::Never;
        self.snapshot = self.snapshot.min(seq);
        Ok(log)
    }

    fn acknowledge(&mut self, log: &Log<Disk>) {
        assert!(log.durable() >= self.acknowledged, "what was durable is not");
        self.acknowledged = log.durable();
        assert_eq!(log.next(), self.taken.len() as u64 + 1);
        assert!(log.durable() < log.next());
    }

    /// One thing that a user does. Gives whether the log is of any more use.
    fn act(&mut self, log: &mut Log<Disk>, random: &mut Random) -> Result<(), LogError> {
        match random.below(8) {
            0..5 => {
                for _ in 0..=random.below(9) {
                    let order = order(log.next(), random);
                    log.append(&order)?;
                    self.taken.push(order);
                }
                log.commit()
            }
            5 | 6 => log.sync(),
            _ => {
                let seq = self.acknowledged;
                log.snapshot(seq, &self.state(seq))?;
                self.snapshot = seq;
                Ok(())
            }
        }
    }
}

fn settings(random: &mut Random) -> Options {
    let encoding = [Encoding::Archived, Encoding::Bincode][random.below(2)];
    let orders = random.below(20) as u64;
    let every = if random.one_in(4) { Duration::ZERO } else { Duration::MAX };
    let group = Fsync::Group { every, orders };
    let fsync = [Fsync::Never, Fsync::Each, group, group, group][random.below(5)];
    Options { fsync, encoding, segment: 100 + random.below(6000) as u64 }
}

/// The log of one life, until something ends it.
fn live(model: &mut Model, disk: &Disk, options: Options, random: &mut Random) {
    let mut log = loop {
        match model.open(disk, options) {
            Ok(log) => break log,
            Err(LogError::Io { .. } | LogError::Sync { .. }) => {
                disk.failing([0, 30][random.below(2)]);
                disk.room([usize::MAX, 10_000][random.below(2)]);
                if random.one_in(3) {
                    cut(model, disk);
                }
            }
            Err(_) if model.lawless => return disk.failing(usize::MAX),
            Err(error) => panic!("{error}"),
        }
    };
    for _ in 0..random.below(60) {
        if random.one_in(10) {
            disk.failing([0, 0, 4, 40][random.below(4)]);
            disk.room([usize::MAX, usize::MAX, 0, 3000][random.below(4)]);
        }
        let acted = model.act(&mut log, random);
        match acted {
            Ok(()) | Err(LogError::Io { .. }) => model.acknowledge(&log),
            Err(LogError::Sync { .. }) => {
                let order = order(log.next(), random);
                assert!(matches!(log.append(&order), Err(LogError::Closed)));
                assert!(matches!(log.sync(), Err(LogError::Closed)));
                break;
            }
            Err(error) => panic!("{error}"),
        }
    }
    end(model, log, disk, random);
    if random.one_in(2) {
        cut(model, disk);
    }
}

fn end(model: &mut Model, mut log: Log<Disk>, disk: &Disk, random: &mut Random) {
    if random.one_in(3) {
        return;
    }
    // With room and no faults all that was taken is kept, unless the log is closed.
    disk.failing(0);
    disk.room(usize::MAX);
    match log.sync() {
        Ok(()) => {
            model.acknowledge(&log);
            assert_eq!(log.durable(), model.taken.len() as u64);
        }
        Err(LogError::Closed) => return,
        Err(error) => panic!("{error}"),
    }
    if random.one_in(2) {
        log.close().unwrap();
    }
}

fn cut(model: &mut Model, disk: &Disk) {
    disk.power_cut();
    model.lawless |= model.unsynced;
}

fn storm(seed: u64) {
    let mut random = Random::new(seed);
    let disk = Disk::new(random.seed());
    let mut model = Model::default();
    for _ in 0..3 + random.below(8) {
        let options = settings(&mut random);
        live(&mut model, &disk, options, &mut random);
        if model.lawless {
            break;
        }
    }
    disk.failing(0);
    disk.room(usize::MAX);
    match model.open(&disk, super::PLAIN) {
        Ok(_) => {}
        Err(error) => assert!(model.lawless, "{error}"),
    }
}

#[test]
fn log_storm_keeps_what_was_acknowledged_and_nothing_else() {
    let from = std::env::var("AQUEDUCT_SEED").ok().and_then(|seed| seed.parse().ok());
    let count = scale(100).max(200) as u64;
    for seed in from.map_or(1..=count, |seed| seed..=seed) {
        let done = std::panic::catch_unwind(|| storm(seed));
        assert!(done.is_ok(), "with seed {seed}");
    }
}
