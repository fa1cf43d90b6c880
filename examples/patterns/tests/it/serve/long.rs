//! The program itself, under load: `cargo xtask long serve` does all of it at a hundred times the size.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use aqueduct_testkit::{pattern, scale, skip};

use super::{Folder, WAYS, Way, program::Program};

/// Has curl get what is there, and compares it as it comes. None where there is no curl.
pub(super) fn get(url: &str, want: &[u8]) -> Option<()> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--noproxy", "*", url]).stdout(Stdio::piped());
    let Ok(mut curl) = curl.spawn() else {
        skip("curl is not installed");
        return None;
    };
    let mut stdout = curl.stdout.take().unwrap();
    let (mut chunk, mut at) = (vec![0; 1 << 20], 0);
    loop {
        let count = stdout.read(&mut chunk).unwrap();
        if count == 0 {
            break;
        }
        assert!(want[at..].starts_with(&chunk[..count]), "{url}: others from {at} on");
        at += count;
    }
    assert!(curl.wait().unwrap().success());
    assert_eq!(at, want.len(), "{url}");
    Some(())
}

#[test]
fn long_serve_ten_clients_at_once() {
    let folder = Folder::new("ten");
    let (len, long) = (scale(5_368_709), scale(1) > 1);
    let bytes = pattern(len, 1);
    fs::write(folder.0.join("large"), &bytes).unwrap();
    for way in WAYS {
        let program = Program::new(&folder, way);
        let before = program.memory("RssAnon");
        let mut peak = 0;
        let url = program.url("large");
        let done = thread::scope(|scope| {
            let clients = [(); 10].map(|()| scope.spawn(|| get(&url, &bytes)));
            while !clients.iter().all(|client| client.is_finished()) {
                peak = peak.max(program.memory("RssAnon").saturating_sub(before));
                thread::sleep(Duration::from_millis(5));
            }
            clients.into_iter().all(|client| client.join().unwrap().is_some())
        });
        if !done {
            return;
        }
        println!("{way:?}: {} MiB of its own at most, for ten times {} MiB", peak >> 20, len >> 20);
        if way != Way::ReadAll {
            assert!(peak < 32 << 20, "{way:?}: {peak} bytes");
        } else if long {
            assert!(peak > 8 * len as u64, "{way:?}: {peak} bytes");
        }
        let said = program.end();
        assert_eq!((&said["bytes_copied"], &said["blocks_outstanding"]), (&0.into(), &0.into()));
    }
}

#[test]
fn long_serve_leaves_no_descriptor_and_no_block() {
    let folder = Folder::new("wrk");
    folder.file("page", 40_000);
    for way in WAYS {
        let program = Program::new(&folder, way);
        // What a first request leaves is there for all.
        if get(&program.url("page"), &pattern(40_000, 40_000)).is_none() {
            return;
        }
        let before = program.descriptors();
        let seconds = if scale(1) > 1 { "30s" } else { "1s" };
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", "-c64", "-d", seconds, &program.url("page")]);
        let Ok(output) = wrk.output() else {
            skip("wrk is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && !said.contains("Non-2xx"), "{way:?}: {said}");
        let since = Instant::now();
        while program.descriptors() > before && since.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(10));
        }
        // Fewer if curl's own was still open before.
        assert!(program.descriptors() <= before, "{way:?}");
        let rate = said.lines().find(|line| line.contains("Requests/sec")).unwrap_or_default();
        println!("{way:?}: {rate}");
        let said = program.end();
        assert_eq!(said["blocks_outstanding"], 0, "{way:?}");
    }
}
