//! This test binary once more, as a process that something is done to: it moves bytes, and says on its
//! output how that went.

use crate::sides::{Kind, nonblocking, source, target};
use aqueduct_os::{Method, Transfer, TransferError, write_all_vectored};
use aqueduct_testkit::pattern;
use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    path::Path,
    process::Command,
};

const TASK: &str = "AQUEDUCT_OS_CHILD";
/// What the child's line starts with.
const SAYS: &str = "child: ";
pub const BYTES: usize = 300_000;

pub const METHODS: [(Method, Kind); 5] = [
    (Method::SendFile, Kind::File),
    (Method::Splice, Kind::Pipe),
    (Method::CopyFileRange, Kind::File),
    (Method::ThroughPipe, Kind::Unix),
    (Method::ThroughBlock, Kind::Unix),
];

/// Runs `wrapper`, which ends in a command to run, with a child that does `task` as that command. What
/// the child says; none where the wrapper could not start it.
pub fn says<S: AsRef<OsStr>>(wrapper: &[S], task: &str) -> Option<String> {
    let (program, args) = wrapper.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(args).arg(env::current_exe().unwrap());
    command.args(["--exact", "child::the_child", "--nocapture", "--test-threads=1"]);
    // The leak checker traces its own process, which the wrapper may be doing already.
    command.env(TASK, task).env("ASAN_OPTIONS", "detect_leaks=0");
    let output = command.output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    // libtest's own line goes on where the child's begins.
    let said = text.split(SAYS).nth(1).map(|said| said.lines().next().unwrap_or("").to_owned());
    if said.is_none() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    said
}

/// The child's side: not a test where nobody asked for one.
#[test]
fn the_child() {
    let Ok(task) = env::var(TASK) else { return };
    let words: Vec<&str> = task.split(' ').collect();
    let said = match words[..] {
        ["socket", method] => to_socket(method.parse().unwrap()),
        ["file", method, path] => to_file(method.parse().unwrap(), Path::new(path)),
        ["full", folder] => crate::full_disk::fill(Path::new(folder)),
        ["pieces"] => pieces(),
        _ => panic!("no such task: {task}"),
    };
    println!("{SAYS}{said}");
}

fn judged<T>(outcome: Result<T, TransferError>, arrived: &[u8]) -> String {
    let bytes = pattern(BYTES, 1);
    match outcome {
        Ok(_) if arrived == bytes => "all".to_owned(),
        Err(error) if arrived.get(..) == bytes.get(..error.done() as usize) => {
            format!("{} after exactly {}: {:?}", error.call(), error.done(), error.error().kind())
        }
        Ok(_) => format!("other bytes, {} of them", arrived.len()),
        Err(error) => format!("{} bytes arrived, but {error}", arrived.len()),
    }
}

fn to_socket(method: usize) -> String {
    let (method, kind) = METHODS[method];
    let (from, to) = (source(kind, &pattern(BYTES, 1)), target(Kind::Unix));
    nonblocking(&to.fd);
    let outcome = Transfer::by(method, None).run(&from, &to.fd);
    judged(outcome, &to.arrived())
}

fn to_file(method: usize, path: &Path) -> String {
    let (method, kind) = METHODS[method];
    let from = source(kind, &pattern(BYTES, 1));
    let to = File::create(path).unwrap();
    let outcome = Transfer::by(method, None).run(&from, &to);
    judged(outcome, &fs::read(path).unwrap())
}

fn pieces() -> String {
    let (bytes, to) = (pattern(BYTES, 1), target(Kind::Unix));
    nonblocking(&to.fd);
    let outcome = write_all_vectored(bytes.chunks(100)).run(&to.fd);
    judged(outcome, &to.arrived())
}
