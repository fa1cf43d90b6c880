//! Cut at every byte, and a bit flipped at every byte: the end that the rules say, or the error.

use super::{HEADER, PLAIN, RECORD, disk::Disk, orders};
use aqueduct_testkit::scale;
use exchange::{
    Order,
    log::{Damage, Encoding, LogError, Options, Recovery},
};

/// How a log was left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Left {
    Closed,
    Killed,
}

/// A log of these orders, in commits of so many.
pub fn written(orders: &[Order], group: usize, options: Options, left: Left) -> Disk {
    let disk = Disk::new(1);
    let mut log = Recovery::new(disk.clone()).unwrap().log(options).unwrap();
    for group in orders.chunks(group) {
        group.iter().for_each(|order| log.append(order).unwrap());
        log.commit().unwrap();
    }
    if left == Left::Closed {
        log.close().unwrap();
    }
    disk
}

/// How many orders are read, and how it ends. They are the first ones, in order.
pub fn read(disk: &Disk, orders: &[Order]) -> (usize, Result<(), LogError>) {
    let mut read = 0;
    let mut recovery = match Recovery::new(disk.clone()) {
        Ok(recovery) => recovery,
        Err(error) => return (0, Err(error)),
    };
    loop {
        match recovery.read() {
            Ok(Some(logged)) => assert!(logged.order() == orders[read], "order {read} is another"),
            Ok(None) => return (read, Ok(())),
            Err(error) => {
                if read % 10 == 7 {
                    assert_eq!(recovery.read().unwrap_err().to_string(), error.to_string());
                }
                return (read, Err(error));
            }
        }
        read += 1;
    }
}

pub fn place(ended: &Result<(), LogError>) -> Option<(&str, u64, Damage)> {
    match ended {
        Ok(()) => None,
        Err(LogError::Damaged { segment, offset, damage }) => Some((segment, *offset, *damage)),
        Err(error) => panic!("{error}"),
    }
}

pub const FIRST: &str = "00000000000000000001.log";

/// Where the record of this index begins.
fn offset(index: usize) -> u64 {
    (HEADER + index * RECORD) as u64
}

/// A thousand orders in segments of fifty, up to the one of this index, with a snapshot in front of it: what
/// is read then is that segment. Its name.
fn up_to(orders: &[Order], index: usize, left: Left) -> (Disk, String) {
    let options = Options { segment: (HEADER + 50 * RECORD) as u64, ..PLAIN };
    let disk = written(&orders[..50 * index], 50, options, Left::Killed);
    let mut log = Recovery::new(disk.clone()).unwrap().log(options).unwrap();
    if index > 0 {
        log.snapshot(50 * index as u64, b"state").unwrap();
    }
    let group = if left == Left::Closed { 2 } else { 10 };
    for group in orders[50 * index..][..50].chunks(group) {
        group.iter().for_each(|order| log.append(order).unwrap());
        log.commit().unwrap();
    }
    if left == Left::Closed {
        log.close().unwrap();
    }
    (disk, format!("{:020}.log", 50 * index + 1))
}

/// Which record a byte is in; none for the header.
fn record_at(byte: usize) -> Option<usize> {
    byte.checked_sub(HEADER).map(|byte| byte / RECORD)
}

fn flipped<R>(disk: &Disk, name: &str, byte: usize, then: impl FnOnce() -> R) -> R {
    let flip = || disk.edit(name, |file| file[byte] ^= 1 << (byte % 8));
    flip();
    let result = then();
    flip();
    result
}

/// Flips a bit in each of these bytes of a log, and holds the outcome against the rules: the last `lost`
/// records are covered by no mark.
fn flip(
    disk: &Disk,
    name: &str,
    orders: &[Order],
    lost: usize,
    bytes: impl Iterator<Item = usize>,
) {
    for byte in bytes {
        let (count, ended) = flipped(disk, name, byte, || read(disk, orders));
        let place = place(&ended);
        match record_at(byte) {
            None => {
                let header = matches!(place, Some((_, 0, Damage::Header | Damage::Version(_))));
                assert!(count == 0 && header, "{byte}: {ended:?}");
            }
            Some(record) => {
                // Behind the last order is the mark that closed the log.
                assert_eq!(count, record, "{byte}");
                let damaged = record + lost < orders.len();
                assert_eq!(place, damaged.then_some((name, offset(record), Damage::Record)));
            }
        }
    }
}

#[test]
fn a_bit_that_is_flipped_at_any_byte_is_found_where_it_is() {
    let orders = orders(1000, 1);
    for index in 0..20 {
        let (disk, name) = up_to(&orders, index, Left::Closed);
        let size = disk.edit(&name, |file| file.len());
        assert_eq!(size, HEADER + 51 * RECORD);
        flip(&disk, &name, &orders[50 * index..][..50], 0, 0..size);
    }
}

#[test]
fn a_bit_that_is_flipped_in_what_no_mark_covers_is_the_end() {
    let orders = orders(1000, 2);
    for index in 0..20 {
        let (disk, name) = up_to(&orders, index, Left::Killed);
        let size = disk.edit(&name, |file| file.len());
        flip(&disk, &name, &orders[50 * index..][..50], 10, (0..size).step_by(11));
    }
}

/// The same in one segment, read from its first order on: every byte takes minutes without a snapshot.
#[test]
fn a_bit_that_is_flipped_in_a_whole_log() {
    let orders = orders(1000, 3);
    let disk = written(&orders, 7, PLAIN, Left::Closed);
    let size = disk.edit(FIRST, |file| file.len());
    flip(&disk, FIRST, &orders, 0, (0..size).step_by(if scale(1) > 1 { 1 } else { 501 }));
}

#[test]
fn a_log_that_is_cut_at_any_byte_ends_at_the_last_good_record() {
    let orders = orders(1000, 4);
    for index in 0..20 {
        let (disk, name) = up_to(&orders, index, Left::Closed);
        let whole = disk.edit(&name, |file| file.clone());
        // Backwards: each cut shortens the one before.
        for size in (0..whole.len()).rev() {
            disk.edit(&name, |file| file.truncate(size));
            let (count, ended) = read(&disk, &orders[50 * index..]);
            assert_eq!(count, record_at(size).unwrap_or(0).min(50), "cut at {size}");
            assert!(ended.is_ok(), "cut at {size}: {ended:?}");
        }
        // And it goes on there.
        for size in [0, 1, 63, 64, 65, 151, 152, 153, 4463, 4464, 4465] {
            disk.edit(&name, |file| *file = whole[..size].to_vec());
            let mut log = Recovery::new(disk.clone()).unwrap().log(PLAIN).unwrap();
            for order in &orders[usize::try_from(log.durable()).unwrap()..] {
                log.append(order).unwrap();
            }
            log.close().unwrap();
            assert_eq!(read(&disk, &orders[50 * index..]).0, 1000 - 50 * index);
        }
    }
}

/// Five segments of two hundred orders: a cut is an end in the last one only.
#[test]
fn a_cut_before_the_last_segment_is_damage() {
    for encoding in [Encoding::Archived, Encoding::Bincode] {
        let record = if encoding == Encoding::Archived { RECORD } else { 100 };
        let segment = (HEADER + 200 * record) as u64;
        let orders = orders(1000, 4);
        let disk = written(&orders, 50, Options { segment, encoding, ..PLAIN }, Left::Killed);
        let names = disk.list();
        assert_eq!(names.len(), 5);
        for (index, name) in names.iter().enumerate() {
            let whole = disk.edit(name, |file| file.clone());
            for size in (0..whole.len())
                .rev()
                .filter(|size| *size < 70 || size % 997 == 0 || size % record == HEADER)
            {
                disk.edit(name, |file| file.truncate(size));
                let (count, ended) = read(&disk, &orders);
                let here = size.saturating_sub(HEADER) / record;
                assert_eq!(count, index * 200 + here);
                if index == 4 {
                    assert!(ended.is_ok(), "{name} cut at {size}: {ended:?}");
                    continue;
                }
                let (segment, offset, damage) = place(&ended).expect("it is not the last");
                match damage {
                    Damage::Header => assert!(segment == name && size < HEADER),
                    Damage::Cut => {
                        assert_eq!((segment, offset), (&name[..], (HEADER + here * record) as u64));
                    }
                    Damage::Missing { expected, found } => {
                        assert_eq!(segment, names[index + 1]);
                        assert!(
                            expected == count as u64 + 1 && found == (index as u64 + 1) * 200 + 1
                        );
                    }
                    other => panic!("{name} cut at {size}: {other}"),
                }
            }
            disk.put(name, &whole);
        }
    }
}

#[test]
fn a_segment_that_is_missing_is_named() {
    let orders = orders(1000, 5);
    let segment = (HEADER + 200 * RECORD) as u64;
    for lost in 0..5 {
        let disk = written(&orders, 50, Options { segment, ..PLAIN }, Left::Closed);
        let names = disk.list();
        disk.lose(&names[lost]);
        let (count, ended) = read(&disk, &orders);
        let missing = |seq: u64| Damage::Missing { expected: seq, found: seq + 200 };
        let want = names.get(lost + 1).map(|next| (&next[..], 0, missing(lost as u64 * 200 + 1)));
        // The last one is missed by nobody: a crash may have lost it before anything in it was durable.
        assert_eq!(place(&ended), want);
        assert_eq!(count, if lost == 0 { 0 } else { lost * 200 });
    }
}

#[test]
fn what_belongs_elsewhere_is_refused() {
    let orders = orders(300, 6);
    let disk = written(&orders, 10, PLAIN, Left::Killed);
    let whole = disk.edit(FIRST, |file| file.clone());
    let refused = |bytes: &[u8]| {
        disk.put(FIRST, bytes);
        let (count, ended) = read(&disk, &orders);
        let (_, at, damage) = place(&ended).expect("refused");
        assert_eq!(at, offset(count));
        (count, damage)
    };
    let at = |index: usize| HEADER + index * RECORD;
    // A record twice, one left out, two exchanged: every checksum is good.
    let twice = [&whole[..at(20)], &whole[at(19)..]].concat();
    assert_eq!(refused(&twice), (20, Damage::Sequence { expected: 21, found: 20 }));
    let gap = [&whole[..at(20)], &whole[at(21)..]].concat();
    assert_eq!(refused(&gap), (20, Damage::Sequence { expected: 21, found: 22 }));
    // Bytes that are missing or too many in the middle: the good records behind are found where they are.
    let shifted = [&whole[..at(20) + 5], &whole[at(20) + 6..]].concat();
    assert_eq!(refused(&shifted), (20, Damage::Record));
    let shifted = [&whole[..at(20)], b"x", &whole[at(20)..]].concat();
    assert_eq!(refused(&shifted), (20, Damage::Record));
    // Another version of the format.
    let mut other = whole.clone();
    other[8] = 2;
    disk.put(FIRST, &other);
    assert_eq!(place(&read(&disk, &orders).1), Some((FIRST, 0, Damage::Version(2))));
    // Another segment under this name.
    let second = "00000000000000000301.log";
    disk.put(FIRST, &whole);
    disk.put(second, &whole);
    assert_eq!(place(&read(&disk, &orders).1), Some((second, 0, Damage::Header)));
    // Zeros behind the end, as some file systems leave them, and anything that no mark covers.
    disk.lose(second);
    for tail in [vec![0; 5000], vec![7; 333], whole[at(250)..][..RECORD - 1].to_vec()] {
        disk.put(FIRST, &[&whole[..], &tail].concat());
        let (count, ended) = read(&disk, &orders);
        assert!(count == 300 && ended.is_ok(), "{ended:?}");
    }
}

/// A write of a whole group of which a crash kept only some sectors is no damage.
#[test]
fn holes_in_the_group_that_was_not_durable_are_the_end() {
    let orders = orders(400, 7);
    let disk = written(&orders, 100, PLAIN, Left::Killed);
    disk.edit(FIRST, |file| file[HEADER + 310 * RECORD..][..512].fill(0));
    let (count, ended) = read(&disk, &orders);
    assert!(count == 310 && ended.is_ok(), "{ended:?}");
    let mut log = Recovery::new(disk.clone()).unwrap().log(PLAIN).unwrap();
    log.append(&orders[310]).unwrap();
    log.close().unwrap();
    // What was behind the hole is gone for good.
    assert_eq!(read(&disk, &orders).0, 311);
}
