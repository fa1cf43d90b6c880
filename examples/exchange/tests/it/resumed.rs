//! `replay` with a log: killed and run again until it comes to its end, it gives the same files.

use crate::command::Folder;
use aqueduct_testkit::Random;
use exchange::{flow::rows, generate::Generated};
use std::{
    fmt::Write,
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

const FILES: [&str; 4] = ["order_events.csv", "ledger.csv", "orderbook.csv", "balances.csv"];

/// The flow of a seed as files, but for what files cannot say.
fn folder(name: &str, seed: u64) -> Folder {
    let text = rows(Generated::new(seed, 20_000)).expect("made up");
    let folder = Folder::new(name, &text);
    let mut balances = "user_id,asset_id,avail,frozen,version\n".to_owned();
    for balance in Generated::openings(100) {
        let (user, asset, avail) = (balance.user, balance.asset + 1, balance.avail);
        writeln!(balances, "{user},{asset},{avail},0,0").expect("text");
    }
    fs::write(folder.0.join("balances_init.csv"), balances).expect("written");
    folder
}

/// What it says in the end, and the four files.
fn ended(folder: &Folder, command: &mut Command) -> (String, Vec<Vec<u8>>) {
    let out = command.output().expect("it runs");
    assert!(out.status.success(), "{out:?}");
    let read = |name: &str| fs::read(folder.0.join("out").join(name)).expect("written");
    (String::from_utf8(out.stdout).expect("text"), FILES.map(read).to_vec())
}

fn logged(folder: &Folder, log: &Path, more: &[&str]) -> Command {
    let mut command = folder.command();
    command.arg("--log").arg(log).args(more);
    command
}

#[test]
fn a_replay_that_is_killed_goes_on() {
    let (folder, mut random) = (folder("resumed", 9), Random::unlike_others());
    let log = folder.0.join("log");
    let expected = ended(&folder, &mut folder.command());
    let ways = [
        &["--mode", "zero-copy", "--fsync", "never"][..],
        &["--mode", "copying", "--threads", "4"],
        &["--mode", "copying", "--fsync", "never"],
        &["--threads", "4"],
    ];
    for _ in 0..3 {
        for way in ways {
            let mut command = logged(&folder, &log, way);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().expect("it starts");
            thread::sleep(Duration::from_micros(random.below(60_000) as u64));
            child.kill().expect("it is ours");
            child.wait().expect("it ends");
        }
        assert!(ended(&folder, &mut logged(&folder, &log, &[])) == expected);
        // And all of it out of the log.
        assert!(ended(&folder, &mut logged(&folder, &log, &["--mode", "copying"])) == expected);
        fs::remove_dir_all(&log).expect("it is there");
    }
}

#[test]
fn a_log_of_another_flow_is_refused() {
    let [folder, other] = [("flow", 9), ("other", 10)].map(|(name, seed)| folder(name, seed));
    let log = folder.0.join("log");
    ended(&folder, &mut logged(&folder, &log, &["--fsync", "never"]));
    let out = logged(&other, &log, &[]).output().expect("it runs");
    let says = String::from_utf8(out.stderr).expect("text");
    assert_eq!(says, "exchange: order 1 of the log is another\n");
    // Less of it, too.
    let orders = fs::read_to_string(folder.0.join("orders.csv")).expect("there");
    let fewer: Vec<&str> = orders.lines().take(100).collect();
    fs::write(folder.0.join("orders.csv"), fewer.join("\n")).expect("written");
    let out = logged(&folder, &log, &[]).output().expect("it runs");
    assert_eq!(out.stderr, b"exchange: order 100 of the log is another\n");
}

/// What is refused hangs on it.
#[test]
fn a_log_of_another_limit_is_refused() {
    let folder = folder("limits", 9);
    let log = folder.0.join("log");
    let (said, _) = ended(&folder, &mut logged(&folder, &log, &["--most-resting", "3"]));
    let last = |text: &str| text.lines().last().unwrap().to_owned();
    let resting = last(&said).split_once("resting=").unwrap().1.parse::<u32>().unwrap();
    assert!((200..=300).contains(&resting), "a hundred users, of whom each has three: {said}");
    let out = logged(&folder, &log, &[]).output().expect("it runs");
    let says = "a log of other opening balances, markets or limits\n";
    assert!(String::from_utf8(out.stderr).unwrap().ends_with(says));
    let again = ended(&folder, &mut logged(&folder, &log, &["--most-resting", "3"])).0;
    assert_eq!(last(&again), last(&said));
}

/// There would be money that was not there.
#[test]
fn a_log_of_other_balances_is_noticed() {
    let orders = "order_id,user_id,side,price,qty\n1,1,buy,1,1\n2,2,sell,1,1\n3,1,buy,1,0.5";
    let folder = Folder::new("balances", orders);
    let log = folder.0.join("log");
    let ran = |avail| {
        let rows = [1, 2].map(|user| format!("{user},1,{avail},0,0\n{user},2,{avail},0,0\n"));
        let text = format!("user_id,asset_id,avail,frozen,version\n{}", rows.concat());
        fs::write(folder.0.join("balances_init.csv"), text).unwrap();
        let status = folder.command().arg("--log").arg(&log).status().unwrap();
        (status.success(), fs::read_to_string(folder.0.join("out/balances.csv")).unwrap())
    };
    assert!(ran(1_000_000_000u64).0);
    let (is_taken, balances) = ran(5_000_000_000);
    assert!(!is_taken, "{balances}");
}
