//! On a real disk, of the operating system's.

use super::{PLAIN, orders};
use aqueduct::meter;
use exchange::log::{Encoding, Folder, Fsync, Log, Logged, Options, Recovery};
use std::{fs, io::ErrorKind, path::PathBuf};

struct Fresh(PathBuf);

impl Fresh {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("exchange-log-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn log(&self, options: Options) -> Log<Folder> {
        Recovery::new(Folder::open(&self.0).unwrap()).unwrap().log(options).unwrap()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_log_is_read_as_it_was_written_with_every_policy_and_encoding() {
    let fresh = Fresh::new("all");
    let orders = orders(6 * 5000, 1);
    let group = Fsync::Group { every: std::time::Duration::from_millis(1), orders: 700 };
    let mut parts = orders.chunks(5000);
    for encoding in [Encoding::Archived, Encoding::Bincode] {
        for fsync in [Fsync::Never, group, Fsync::Each] {
            let part = parts.next().unwrap();
            let part = if fsync == Fsync::Each { &part[..200] } else { part };
            let mut log = fresh.log(Options { fsync, encoding, segment: 100_000 });
            for order in part {
                let order = exchange::Order { seq: log.next(), ..*order };
                log.append(&order).unwrap();
                if order.seq.is_multiple_of(64) {
                    log.commit().unwrap();
                }
            }
            log.sync().unwrap();
            assert_eq!(log.durable() + 1, log.next());
            log.close().unwrap();
        }
    }
    let mut recovery = Recovery::new(Folder::open(&fresh.0).unwrap()).unwrap();
    let (mut in_place, mut decoded, mut last) = (0, 0, 0);
    while let Some(logged) = recovery.read().unwrap() {
        match logged {
            Logged::InPlace(_) => in_place += 1,
            Logged::Decoded(_) => decoded += 1,
        }
        last += 1;
        assert_eq!(logged.order().seq, last);
    }
    assert_eq!((in_place, decoded), (10_200, 10_200));
}

#[test]
fn nothing_is_copied_on_the_way_in_and_out_but_by_bincode() {
    let fresh = Fresh::new("copies");
    let orders = orders(10_000, 2);
    for (encoding, per_order) in [(Encoding::Archived, 0), (Encoding::Bincode, 3 * 76)] {
        let _ = fs::remove_dir_all(&fresh.0);
        let mut log = fresh.log(Options { encoding, ..PLAIN });
        let before = meter::thread().bytes;
        for order in &orders {
            log.append(order).unwrap();
            if order.seq.is_multiple_of(100) {
                log.commit().unwrap();
            }
        }
        drop(log);
        let mut recovery = Recovery::new(Folder::open(&fresh.0).unwrap()).unwrap();
        let mut sum = 0;
        while let Some(logged) = recovery.read().unwrap() {
            sum += match logged {
                Logged::InPlace(order) => order.seq.to_native(),
                Logged::Decoded(order) => order.seq,
            };
        }
        assert_eq!(sum, 10_000 * 10_001 / 2);
        let copied = meter::thread().bytes - before;
        assert_eq!(copied, per_order * 10_000, "{encoding:?}");
    }
}

#[test]
fn a_folder_is_one_process_s() {
    let fresh = Fresh::new("lock");
    let log = fresh.log(PLAIN);
    assert_eq!(Folder::open(&fresh.0).unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(log);
    assert!(Folder::open(&fresh.0).is_ok());
}
