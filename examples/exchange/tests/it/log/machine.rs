//! Any bytes against the readers of the log, and of the original's, which is migrated: what is read is what was written, from the first order on, or an
//! error; and a log that opens goes on.

use super::{
    disk::Disk,
    made::order,
    old::{naive, repair},
};
use aqueduct_testkit::Random;
use exchange::{
    Order,
    log::{Encoding, Fsync, LogError, Options, Recovery, Storage},
    migrate::{MigrateError, Old},
};
use std::time::Duration;

const GROUP: Fsync = Fsync::Group { every: Duration::MAX, orders: 1 };

/// Two bytes that say what log it is; then its only segment as it is, or changes to one that is good, four
/// bytes each; or a log of the original's, as it is or with its checksums made good.
pub fn run_bytes(bytes: &[u8]) -> usize {
    let Some(([how, size], rest)) = bytes.split_first_chunk() else { return 0 };
    let encoding = [Encoding::Archived, Encoding::Bincode][usize::from(how & 1)];
    let fsync = if how & 2 == 0 { GROUP } else { Fsync::Never };
    let options = Options { fsync, encoding, segment: 1 << 10 };
    let disk = Disk::new(1);
    if how & 12 == 8 {
        let mut bytes = rest.to_vec();
        if how & 16 != 0 {
            repair(&mut bytes);
        }
        return migrated(&disk, &bytes, options);
    }
    if how & 4 == 0 {
        disk.put("00000000000000000001.log", rest);
        return read(&disk, None).map_or(0, |orders| go_on(&disk, &orders, options));
    }
    let mut random = Random::new(u64::from(*size) + 1);
    let orders: Vec<_> = (1..=u64::from(*size)).map(|seq| order(seq, &mut random)).collect();
    let mut log = Recovery::new(disk.clone()).unwrap().log(options).unwrap();
    for group in orders.chunks(1 + usize::from(how >> 4)) {
        group.iter().for_each(|order| log.append(order).unwrap());
        log.commit().unwrap();
    }
    if how & 8 == 0 {
        log.close().unwrap();
    }
    rest.as_chunks::<4>().0.iter().for_each(|change| damage(&disk, *change));
    read(&disk, Some(&orders)).map_or(0, |orders| go_on(&disk, &orders, options))
}

fn damage(disk: &Disk, [file, at, by, what]: [u8; 4]) {
    let names = disk.list();
    let Some(name) = names.get(usize::from(file) % names.len().max(1)) else { return };
    disk.edit(name, |bytes| {
        let at = usize::from(at) * 256 + usize::from(by);
        match what {
            0 => bytes.truncate(at),
            1 => bytes.resize(bytes.len() + at % 2000, by),
            _ if bytes.is_empty() => {}
            _ => {
                let at = at % bytes.len();
                bytes[at] ^= what;
            }
        }
    });
}

/// All orders, which are these if it is known which they must be.
fn read(disk: &Disk, known: Option<&[Order]>) -> Result<Vec<Order>, LogError> {
    let mut recovery = Recovery::new(disk.clone())?;
    let mut orders = Vec::new();
    while let Some(logged) = recovery.read()? {
        orders.push(logged.order());
        assert!(known.is_none_or(|known| known.get(orders.len() - 1) == orders.last()));
    }
    Ok(orders)
}

/// What could be read can be gone on with, and is then read again.
fn go_on(disk: &Disk, orders: &[Order], options: Options) -> usize {
    let mut log = Recovery::new(disk.clone()).unwrap().log(options).unwrap();
    assert_eq!(log.durable(), orders.len() as u64);
    let next = Order { seq: log.next(), ..Order::default() };
    log.append(&next).unwrap();
    log.close().unwrap();
    let again = read(disk, None).unwrap();
    assert!(again.len() == orders.len() + 1 && again.starts_with(orders));
    orders.len()
}

/// What is read of an old log is what a naive reader finds, and a new one can hold it.
fn migrated(disk: &Disk, bytes: &[u8], options: Options) -> usize {
    disk.put("old", bytes);
    let mut old = Old::new(disk.open("old").unwrap(), "old".to_owned());
    let mut log = Recovery::new(disk.clone()).unwrap().log(options).unwrap();
    let (expected, refused) = naive(bytes);
    for order in &expected {
        assert_eq!(old.read().unwrap().as_ref(), Some(order));
        log.append(order).unwrap();
    }
    match (old.read(), refused) {
        (Ok(None), None) => {}
        (Err(MigrateError::Damaged { offset, .. }), Some(at)) => assert_eq!(offset, at),
        (ended, refused) => panic!("{ended:?}, and not {refused:?}"),
    }
    log.close().unwrap();
    assert_eq!(read(disk, None).unwrap(), expected);
    expected.len()
}
