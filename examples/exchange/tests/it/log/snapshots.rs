//! Snapshots, and what else may be in a log's folder.

use super::{
    GROUP, HEADER, PLAIN, RECORD,
    damage::{FIRST, Left, place, read, written},
    disk::Disk,
    orders,
};
use exchange::log::{Damage, LogError, Options, Recovery, Storage};

#[test]
fn a_snapshot_that_is_damaged_is_passed_over() {
    let orders = orders(500, 8);
    let options = Options { segment: (HEADER + 100 * RECORD) as u64, ..PLAIN };
    let disk = Disk::new(1);
    let mut log = Recovery::new(disk.clone()).unwrap().log(options).unwrap();
    for order in &orders {
        log.append(order).unwrap();
        if order.seq % 100 == 50 {
            let refused = log.snapshot(order.seq, b"too early").unwrap_err();
            assert!(matches!(refused, LogError::NotDurable { .. }), "{refused}");
            log.commit().unwrap();
            log.snapshot(order.seq, format!("state {}", order.seq).as_bytes()).unwrap();
        }
    }
    log.close().unwrap();
    let snapshots: Vec<_> =
        disk.list().into_iter().filter(|name| name.ends_with(".snap")).collect();
    assert_eq!(snapshots, ["00000000000000000350.snap", "00000000000000000450.snap"]);
    let newest = || {
        let mut recovery = Recovery::new(disk.clone()).unwrap();
        let seq = recovery.snapshot().map_or(0, |snapshot| {
            assert_eq!(snapshot.bytes, format!("state {}", snapshot.seq).as_bytes());
            snapshot.seq
        });
        let mut next = usize::try_from(seq).unwrap();
        while let Some(logged) = recovery.read().unwrap() {
            assert_eq!(logged.order(), orders[next]);
            next += 1;
        }
        assert_eq!(next, 500);
        seq
    };
    assert_eq!(newest(), 450);
    // Segments before a snapshot may be gone.
    disk.lose(FIRST);
    assert_eq!(newest(), 450);
    for byte in 0..40 + "state 450".len() {
        disk.edit(&snapshots[1], |file| file[byte] ^= 1 << (byte % 8));
        assert_eq!(newest(), 350, "a flip at {byte}");
        disk.edit(&snapshots[1], |file| file[byte] ^= 1 << (byte % 8));
    }
    // The log is shorter than the state.
    for name in disk.list().iter().filter(|name| name.ends_with(".log")).skip(3) {
        disk.lose(name);
    }
    let (_, ended) = read(&disk, &orders[450..]);
    assert_eq!(place(&ended), Some((&snapshots[1][..], 0, Damage::Short { end: 350 })));
}

#[test]
fn what_is_not_of_the_log_is_let_be() {
    let orders = orders(5, 9);
    let disk = written(&orders, 1, PLAIN, Left::Closed);
    for name in ["notes.txt", "1.log", "+0000000000000000001.log", "00000000000000000000.log"] {
        disk.put(name, b"something");
    }
    disk.put("00000000000000000003.snap.part", b"never finished");
    assert_eq!(read(&disk, &orders).0, 5);
    let log = Recovery::new(disk.clone()).unwrap().log(Options { fsync: GROUP, ..PLAIN }).unwrap();
    log.close().unwrap();
    assert!(!disk.names().unwrap().iter().any(|name| name.ends_with(".part")));
    assert_eq!(disk.list().len(), 5);
}
