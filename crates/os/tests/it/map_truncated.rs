//! Another process truncates what we serve: always an error, never a signal.

use std::{
    env,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Lines, Write},
    os::fd::{AsFd, AsRawFd},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use aqueduct_os::{Advice, MappedFile, SealError, SharedMemory, WriteToError, WriteToFault};
use aqueduct_testkit::{Random, pattern, scale};

use crate::map::{Scratch, arrives, slice_of};

/// What this test binary does when it is run as another process, and with what.
pub(crate) const TASK: &str = "AQUEDUCT_OS_TEST_TASK";

/// This test binary as another process, which does `task`.
pub(crate) fn other_process(task: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("we are one"));
    command.args(["--exact", "map_truncated::as_another_process", "--ignored", "--nocapture"]);
    command.env(TASK, task).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
#[ignore = "what other tests run as a process of its own"]
fn as_another_process() {
    let Ok(task) = env::var(TASK) else { return };
    match task.split_once(' ') {
        None if task == "truncate" => truncate_as_told(),
        None if task == "receive" => crate::map_memory::receive(),
        Some(("read", path)) => read_what_was_cut_off(Path::new(path)),
        other => panic!("{other:?}"),
    }
}

/// The answer to each order. The test harness says other things in between.
const DONE: &str = "done as ordered";

/// Each line says after how many microseconds what is to be truncated, and to what length.
fn truncate_as_told() {
    for line in io::stdin().lock().lines() {
        let line = line.expect("text");
        let mut words = line.splitn(3, ' ');
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).expect("digits");
        let (delay, len) = (number(), number());
        thread::sleep(Duration::from_micros(delay));
        let file = OpenOptions::new().write(true).open(words.next().expect("a path"));
        // What is sealed refuses it.
        let _refused = file.and_then(|file| file.set_len(len));
        println!("{DONE}");
    }
}

struct Truncater {
    process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Truncater {
    fn new() -> Self {
        let mut command = other_process("truncate");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("ours");
        let orders = process.stdin.take().expect("it was asked for");
        let answers = process.stdout.take().expect("it was asked for");
        Self { process, orders, answers: BufReader::new(answers).lines() }
    }

    fn order(&mut self, delay: usize, len: usize, path: &Path) {
        writeln!(self.orders, "{delay} {len} {}", path.display()).expect("it lives");
    }

    /// Waits until the order is carried out, or refused.
    fn wait(&mut self) {
        let mut answers = self.answers.by_ref().map(|line| line.expect("text"));
        assert!(answers.any(|line| line == DONE), "it lives");
    }

    fn end(mut self) -> ExitStatus {
        drop(self.orders);
        self.process.wait().expect("it was started")
    }
}

/// Where files can be truncated: a disk, and memory.
fn folders() -> Vec<PathBuf> {
    let folders = [Path::new(env!("CARGO_TARGET_TMPDIR")), Path::new("/dev/shm")];
    folders.into_iter().filter(|folder| folder.is_dir()).map(Path::to_path_buf).collect()
}

/// Writes all of `map` in one of three ways.
fn serve(map: &MappedFile, target: impl AsFd, way: usize) -> Result<(), WriteToError> {
    if way == 0 {
        return map.write_all_to(target, ..);
    }
    let piece = if way == 1 { map.len() } else { 5_000 };
    let mut at = 0;
    while at < map.len() {
        let range = at..map.len().min(at + piece);
        at += map.write_to(&target, range).map_err(|failed| {
            // Of all of it, not of this piece.
            assert!(matches!(failed.fault(), WriteToFault::Truncated { .. }), "{failed:?}");
            failed
        })?;
    }
    Ok(())
}

/// What arrived is the file's up to where it was cut off, and behind that, too, or the zeros that the
/// kernel fills the page with.
fn assert_prefix(got: &[u8], bytes: &[u8], valid: usize) {
    assert!(got.len() <= bytes.len(), "{} of {}", got.len(), bytes.len());
    let wrong = got.iter().zip(bytes).enumerate();
    let wrong = { wrong }.find(|&(at, (got, byte))| got != byte && (at < valid || *got != 0));
    assert_eq!(wrong, None, "cut off at {valid}");
}

#[test]
fn t14_a_file_that_another_process_truncates_is_an_error_never_a_signal() {
    let mut random = Random::unlike_others();
    let mut other = Truncater::new();
    let (mut after_bytes, mut rounds_served) = (0, 0);
    for round in 0..scale(100) {
        let (way, folders) = (round % 3, folders());
        let bytes = pattern(1 + random.below(500_000), round);
        let scratch = Scratch::within(&folders[round % folders.len()], &bytes);
        let start = random.below(bytes.len().min(9_000));
        let map = MappedFile::map_range(scratch.open(), start as u64..).expect("mapped");
        let cut = random.below(bytes.len());
        other.order(random.below(2_000), cut, &scratch.0);
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let (result, got) = arrives(|socket| serve(&map, &socket, way));
            let Err(failed) = result else {
                assert!(got == bytes[start..], "all of it, as it was");
                rounds_served += 1;
                assert!(Instant::now() < deadline, "nobody truncated it");
                continue;
            };
            let truncated =
                matches!(failed.fault(), WriteToFault::Truncated { len } if *len == cut as u64);
            assert!(truncated, "{failed:?} {failed}, cut at {cut}");
            if way == 0 {
                assert_eq!(failed.written(), got.len());
            }
            assert_prefix(&got, &bytes[start..], cut.saturating_sub(start));
            after_bytes += usize::from(!got.is_empty());
            break;
        }
        other.wait();
        // And from now on before the first byte, or for what is left.
        let failed = map.write_to(scratch.writable(), ..).expect_err("it is shorter");
        assert_eq!(failed.written(), 0);
        let kind = map.advise(Advice::Populate, ..).map_err(|error| error.kind());
        assert_eq!(kind, Err(io::ErrorKind::UnexpectedEof));
    }
    assert!(other.end().success());
    println!("served {rounds_served} times whole, cut off {after_bytes} times after some bytes");
}

/// Of what is still there, all is written; the rest is told before the first byte.
#[test]
fn t14_every_length_that_is_left_is_an_error_for_more() {
    let bytes = pattern(10_000, 1);
    for folder in folders() {
        let scratch = Scratch::within(&folder, &bytes);
        let map = MappedFile::map(scratch.open()).expect("mapped");
        for left in (0..10_000).rev().step_by(97).chain([8_192, 4_097, 4_096, 4_095, 1, 0]) {
            std::fs::write(&scratch.0, &bytes[..left]).expect("ours");
            let (_, got) = arrives(|socket| map.write_all_to(socket, ..left).expect("it is there"));
            assert!(got == bytes[..left]);
            for (first, last) in [(0, left + 1), (left, left + 1), (left, 10_000), (0, 10_000)] {
                let (failed, got) = arrives(|socket| map.write_all_to(socket, first..last));
                let failed = failed.expect_err("it is not");
                let fault = failed.fault();
                let told = matches!(fault, WriteToFault::Truncated { len } if *len == left as u64);
                assert!(told && failed.written() == 0 && got.is_empty(), "{failed:?}");
                assert!(failed.to_string().contains(&left.to_string()), "{failed}");
            }
        }
    }
}

/// The length is asked for first; this is what the kernel says when it is cut off after that. A page
/// at a time arrives in a pipe, and what arrived is counted.
#[test]
fn t14_what_is_cut_off_within_a_call_is_counted() {
    let bytes = pattern(1 << 20, 3);
    let scratch = Scratch::new(&bytes);
    let map = MappedFile::map(scratch.open()).expect("mapped");
    let (reader, writer) = io::pipe().expect("a pipe");
    let cut = 600_001;
    let serving = thread::spawn(move || map.write_all_to(writer, ..));
    // The pipe is full and the call waits within the kernel.
    let mut got = vec![0; 300_000];
    io::Read::read_exact(&mut &reader, &mut got).expect("more than that");
    thread::sleep(Duration::from_millis(20));
    scratch.writable().set_len(cut as u64).expect("ours");
    io::Read::read_to_end(&mut &reader, &mut got).expect("an end");
    let failed = serving.join().expect("no panic").expect_err("it was cut off");
    assert!(matches!(failed.fault(), WriteToFault::Truncated { len: 600_001 }), "{failed:?}");
    assert_eq!(failed.written(), got.len());
    assert!(got.len() >= cut, "{}", got.len());
    assert_prefix(&got, &bytes, cut);
    assert!(got[cut..].iter().all(|&byte| byte == 0));
}

/// Why there is no safe slice: without this, the tests above would say nothing.
#[test]
fn t14_reading_what_was_cut_off_kills() {
    let scratch = Scratch::new(&pattern(100_000, 2));
    let task = format!("read {}", scratch.0.display());
    let status = other_process(&task).status().expect("it was started");
    // Its own end would be 0, a panic's 101.
    assert!(!matches!(status.code(), Some(0 | 101)), "{status}");
}

fn read_what_was_cut_off(path: &Path) {
    let map = MappedFile::map(File::open(path).expect("a file")).expect("mapped");
    let slice = slice_of(&map, ..).expect("all of it");
    let read = |slice: &[u8]| slice.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    let before = read(&slice);
    OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(0)).expect("ours");
    std::hint::black_box(before.wrapping_add(read(&slice)));
}

#[test]
fn t14_sealed_memory_that_another_process_truncates_stays() {
    let mut random = Random::unlike_others();
    let mut other = Truncater::new();
    let mut seen = [0; 3];
    for round in 0..scale(100) {
        let bytes = pattern(1 + random.below(300_000), round);
        let mut memory = SharedMemory::new().expect("memory");
        let number = memory.as_fd().as_raw_fd();
        let path = PathBuf::from(format!("/proc/{}/fd/{number}", std::process::id()));
        let (cut, while_writing) = (random.below(bytes.len()), round % 2 == 0);
        let mut order = || other.order(random.below(500), cut, &path);
        if while_writing {
            order();
            bytes.chunks(1_000).for_each(|part| memory.write_all(part).expect("memory"));
        } else {
            memory.write_all(&bytes).expect("memory");
            order();
        }
        thread::sleep(Duration::from_micros(random.below(700) as u64));
        let slice = match memory.seal() {
            Ok(slice) => slice,
            Err(SealError::Hole { at }) => {
                // Written on behind what was cut off.
                assert!(while_writing && at < bytes.len() as u64, "{at}");
                seen[0] += 1;
                other.wait();
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let until = Instant::now() + Duration::from_millis(1);
        let first = slice.detach();
        while Instant::now() < until {
            let (result, got) = arrives(|mut socket| socket.write_all(&slice));
            result.expect("it is all there");
            assert!(slice == got && slice == first);
        }
        other.wait();
        assert!(slice == first, "nobody could truncate it");
        let whole = [cut, bytes.len()].contains(&slice.len()) && slice == bytes[..slice.len()];
        assert!(whole || while_writing, "{} of {}, cut at {cut}", slice.len(), bytes.len());
        seen[1 + usize::from(slice.len() == cut)] += 1;
    }
    assert!(other.end().success());
    println!(
        "{} times with a hole, {} times whole, {} times cut off before",
        seen[0], seen[1], seen[2]
    );
}
