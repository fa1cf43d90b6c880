//! The golden files, where they are.

use aqueduct_testkit::skip;
use exchange::{Accounts, Mode, flow, log::Fsync, replay::replay};
use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::record::WAYS;

const MOST: u32 = Accounts::MOST_RESTING;

fn golden(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/exchange");
    let folder = root.join(name);
    if !folder.is_dir() {
        skip("no golden flows beside the workspace");
        return None;
    }
    Some(folder)
}

fn out(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

/// User, asset, available and frozen of each row.
fn four(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(',').take(4).collect()).collect()
}

fn same(name: &str, files: &[&str], summary: &str) {
    let Some(folder) = golden(name) else { return };
    for (mode, threads) in WAYS {
        let out = out(name);
        let path = out.join("log");
        // With a log, and then out of it, in half of the ways.
        let logged = threads == (mode == Mode::Copying);
        let log = logged.then_some((path.as_path(), Fsync::GROUP));
        for _ in 0..=usize::from(logged) {
            let said =
                replay((&folder, MOST), mode, threads, &out, log).expect("sound").to_string();
            assert_eq!(said, summary, "{mode:?} {threads}");
        }
        for file in files {
            let expected = fs::read(folder.join(format!("expected_{file}.csv"))).expect("there");
            let written = fs::read(out.join(format!("{file}.csv"))).expect("written");
            assert!(written == expected, "{file} of {name}, {mode:?}, {threads}");
        }
        let expected = fs::read_to_string(folder.join("expected_balances.csv")).expect("there");
        let written = fs::read_to_string(out.join("balances.csv")).expect("written");
        assert!(four(&written) == four(&expected), "balances of {name}, {mode:?}, {threads}");
        fs::remove_dir_all(&out).expect("there");
    }
}

#[test]
fn flow100k() {
    let summary = "trades=47886 accepted=100000 rejected=0 resting=52114";
    same("flow100k", &["order_events", "orderbook"], summary);
}

#[test]
fn cancel() {
    let summary = "trades=616 accepted=1000 rejected=0 resting=260";
    same("cancel", &["ledger", "orderbook"], summary);
}

/// 1.3 million orders out of a compressed file: in a release build, as `cargo xtask long highbal` makes it.
#[test]
fn highbal() {
    if cfg!(debug_assertions) {
        return skip("1.3 million orders take a release build");
    }
    let Some(folder) = golden("highbal") else { return };
    for (mode, threads) in WAYS {
        let out = out("highbal");
        let said = replay((&folder, MOST), mode, threads, &out, None).expect("sound").to_string();
        assert_eq!(said, "trades=667567 accepted=1000000 rejected=0 resting=232803");
        let book = fs::read(out.join("orderbook.csv")).expect("written");
        assert_eq!(format!("{:x}", md5::compute(&book)), "348f6886ad74e482fce7fd23ebbfb930");
        fs::remove_dir_all(&out).expect("there");
    }
}

/// A thousand rows of a flow, with other ends of lines, and packed.
#[test]
fn the_form_of_a_folder_may_differ() {
    let Some(folder) = golden("cancel") else { return };
    let [there, out] = ["form", "form-out"].map(out);
    fs::create_dir_all(&there).expect("made");
    for file in ["orders.csv", "balances_init.csv"] {
        let text = fs::read_to_string(folder.join(file)).expect("there").replace("\r\n", "\n");
        fs::write(there.join(file), text.trim_end()).expect("written");
    }
    assert!(flow::accounts(&there).is_ok());
    let plain = replay((&there, MOST), Mode::ZeroCopy, false, &out, None).expect("sound");
    assert_eq!(plain.to_string(), "trades=616 accepted=1000 rejected=0 resting=260");
    let expected = fs::read(folder.join("expected_orderbook.csv")).expect("there");
    assert!(fs::read(out.join("orderbook.csv")).expect("written") == expected);
    fs::remove_dir_all(there).expect("there");
    fs::remove_dir_all(out).expect("there");
}
