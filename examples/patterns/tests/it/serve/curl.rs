//! What curl gets, in every way.

use std::process::Command;

use aqueduct_testkit::{Random, skip};

use super::{Folder, Server, WAYS};

/// What curl prints for these arguments and paths, as bytes; nothing, with a line, where there is none.
fn curl(server: &Server, args: &[&str], path: &str) -> Option<Vec<u8>> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*"]).args(args);
    let Ok(output) = command.arg(format!("http://{}{path}", server.address)).output() else {
        skip("curl is not installed");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {args:?} {path}: {} {said}", output.status);
    Some(output.stdout)
}

/// Not by `assert_eq`: nobody wants to read 64 MiB.
fn same(got: &[u8], want: &[u8], what: &str) {
    assert!(got == want, "{what}: {} bytes of {}, or others", got.len(), want.len());
}

#[test]
fn curl_gets_files_of_all_sizes_and_ranges_of_them() {
    let folder = Folder::new("curl");
    let mut random = Random::new(0xc0ffee);
    for (name, len) in [("empty", 0), ("one", 1), ("odd", 4097), ("large", 64 << 20)] {
        let bytes = folder.file(name, len);
        for way in WAYS {
            let server = Server::new(&folder.0, way);
            let path = format!("/{name}");
            let Some(got) = curl(&server, &[], &path) else { return };
            same(&got, &bytes, &format!("{way:?} {name}"));
            for _ in 0..if len > 0 { 20 } else { 0 } {
                let (a, b) = (random.below(len), random.below(len));
                let (first, last) = (a.min(b), a.max(b).min(a.min(b) + (1 << 20)));
                let range = format!("{first}-{last}");
                let Some(got) = curl(&server, &["--range", &range], &path) else { return };
                same(&got, &bytes[first..=last], &format!("{way:?} {name} {range}"));
            }
        }
    }
}
