//! The book's first server, built and run as the page has it.
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

use aqueduct_testkit::pattern;
use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

const PAGE: &str = include_str!("../../../docs/src/guide/first.md");
/// Where the page says that the checkout is.
const CHECKOUT: &str = "../aqueduct/";

/// What stands in the page's one fence of this language.
fn fenced(language: &str) -> &'static str {
    let mut fences = PAGE.split("\n```").filter_map(|fence| {
        let (first, text) = fence.split_once('\n')?;
        (first == language).then_some(text)
    });
    let found = fences.next().expect("the page has such a fence");
    assert!(fences.next().is_none(), "the page has more than one {language}");
    found
}

/// Makes the crate that the page describes, in a place of its own, and builds it without a network.
fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a workspace");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("first");
    let manifest = fenced("toml");
    assert!(manifest.contains(CHECKOUT));
    let checkout = format!("{}/", root.display());
    // It lies within the checkout, and belongs to no workspace of ours.
    let manifest = format!("{}\n[workspace]\n", manifest.replace(CHECKOUT, &checkout));
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/main.rs"), fenced("rust,no_run")).unwrap();
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let status = Command::new(env::var_os("CARGO").expect("run by cargo"))
        .args(["build", "--offline", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        // A sanitizer's are not for build scripts.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET")
        .status()
        .unwrap();
    assert!(status.success(), "the page's program does not build");
    folder.join("target/debug/first")
}

/// Ends the server with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A request: its length, verb and key, and the value to be set.
fn request(verb: u8, key: &[u8], value: &[u8]) -> Vec<u8> {
    let len = u32::try_from(2 + key.len() + value.len()).unwrap();
    let key_len = u8::try_from(key.len()).unwrap();
    let mut request = Vec::new();
    for part in [&len.to_be_bytes()[..], &[verb, key_len], key, value] {
        request.extend(part);
    }
    request
}

/// The next answer.
fn answer(socket: &mut impl Read) -> Vec<u8> {
    let mut len = [0; 4];
    socket.read_exact(&mut len).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(len) as usize];
    socket.read_exact(&mut answer).unwrap();
    answer
}

fn ask(socket: &mut TcpStream, verb: u8, key: &[u8], value: &[u8]) -> Vec<u8> {
    socket.write_all(&request(verb, key, value)).unwrap();
    answer(socket)
}

/// What the server says that all of it has copied.
fn copied(ended: &str) -> u64 {
    let (_, counts) = ended.split_once(": Ok(()), Counts { bytes: ").expect(ended);
    counts.split_once(',').unwrap().0.parse().unwrap()
}

/// Each value is set, and asked for when all are; nothing waits for an answer. Gives the bytes that were sent.
fn pipelined(address: &str) -> u64 {
    const COUNT: usize = 3000;
    let value = |n| pattern(2000, n);
    let key = |n: usize| format!("k{n:04}").into_bytes();
    let sets = (0..COUNT).flat_map(|n| request(b'S', &key(n), &value(n)));
    let gets = (0..COUNT).flat_map(|n| request(b'G', &key(n), b""));
    let all: Vec<u8> = sets.chain(gets).collect();
    let mut socket = BufReader::new(TcpStream::connect(address).unwrap());
    let mut writing = socket.get_ref().try_clone().unwrap();
    let writer = thread::spawn(move || {
        writing.write_all(&all).unwrap();
        writing.shutdown(Shutdown::Write).unwrap();
        all.len()
    });
    for n in 0..COUNT {
        assert_eq!(answer(&mut socket), b"", "nothing was there before {n}");
    }
    for n in 0..COUNT {
        assert_eq!(answer(&mut socket), value(n), "value {n}");
    }
    assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    writer.join().unwrap() as u64
}

#[test]
fn the_first_server_answers_and_copies_nothing() {
    let lines = fenced("rust,no_run").lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines < 60, "{lines} lines are no first program");
    let mut command = Command::new(build());
    let mut server =
        Server(command.arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().expect("it starts"));
    let mut output = BufReader::new(server.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = output.next().unwrap().strip_prefix("listening on ").unwrap().to_owned();

    let mut socket = TcpStream::connect(&address).unwrap();
    let values: Vec<Vec<u8>> = (1..=9_u8).map(|n| vec![n; 24 + 100 * usize::from(n)]).collect();
    for value in &values {
        let before = ask(&mut socket, b'S', b"key", value);
        assert_eq!(before.first().map_or(0, |n| *n), value[0] - 1, "the value before");
        assert_eq!(&ask(&mut socket, b'G', b"key", b""), value);
    }
    assert_eq!(ask(&mut socket, b'G', b"another", b""), b"");
    drop(socket);
    let ended = output.next().unwrap();
    assert!(ended.contains(": Ok(()), Counts { bytes: 0, copies: 0, "), "{ended}");

    // What is malformed ends its own connection, and what is kept outlives the one it came by.
    let mut socket = TcpStream::connect(&address).unwrap();
    socket.write_all(&u32::MAX.to_be_bytes()).unwrap();
    assert_eq!(socket.read(&mut [0]).unwrap(), 0, "a frame that is too large");
    assert!(output.next().unwrap().contains(": Err("));
    let mut socket = TcpStream::connect(&address).unwrap();
    assert_eq!(&ask(&mut socket, b'G', b"key", b""), values.last().unwrap());
    drop(socket);
    let before = copied(&output.next().unwrap());

    // Values that lie across two blocks are answered in two parts. One of up to 23 bytes is cheaper copied than
    // sent as a segment of its own, and is counted; the keys are moved into their handles wherever they lie.
    // A busy connection's blocks have 64 KiB, and few of their ends come so near to one of a value's.
    let sent = pipelined(&address);
    let copied = copied(&output.next().unwrap()) - before;
    assert!(copied <= 23 * (sent / 65_536 + 1), "{copied} bytes copied of {sent}");
}
