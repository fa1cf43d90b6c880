//! A system that refuses: the same bytes another way, and one line about it.

use std::fs;

use super::{Folder, Way, long::get, program::Program};

#[test]
fn what_the_system_refuses_is_read_and_said_once() {
    let folder = Folder::new("refused");
    let bytes = folder.file("a", 300_000);
    for (call, way) in [
        ("sendfile", Way::Sendfile),
        ("io_uring_setup", Way::IoUring),
        ("io_uring_register", Way::IoUring),
    ] {
        let log = folder.0.join("log");
        let Some(program) = Program::refused(call, &log, &folder, way) else { return };
        for _ in 0..3 {
            if get(&program.url("a"), &bytes).is_none() {
                return;
            }
        }
        let said = program.end();
        assert_eq!(said["blocks_outstanding"], 0, "{call}");
        let log = fs::read_to_string(log).unwrap();
        let lines: Vec<&str> = log.lines().collect();
        let [line] = lines[..] else { panic!("{call}: {log}") };
        assert!(line.starts_with("patterns: ") && line.contains("refused"), "{line}");
    }
}

/// Files that are made up as they are read have no length to be served by; those of `/sys` have one, and
/// can be neither mapped nor moved by the system.
#[test]
fn files_that_cannot_be_mapped_are_read() {
    let Ok(bytes) = fs::read("/sys/kernel/notes") else { return };
    for way in super::WAYS {
        let server = super::Server::new("/sys/kernel".as_ref(), way);
        if get(&format!("http://{}/notes", server.address), &bytes).is_none() {
            return;
        }
    }
}
