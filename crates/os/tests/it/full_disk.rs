//! A file system of 64 KiB: an error with the bytes that were written, and the rest goes elsewhere.

use crate::{
    child,
    sides::{contents, fresh_path, source, unnamed},
};
use aqueduct_os::{Transfer, write_all_vectored};
use aqueduct_testkit::{pattern, skip};
use std::{
    fs::{self, File},
    io::ErrorKind,
    path::Path,
};

#[test]
fn a_full_disk_loses_nothing() {
    let folder = fresh_path();
    fs::create_dir(&folder).unwrap();
    let mount = "mount -t tmpfs -o size=64k none \"$0\" && exec \"$@\"";
    let path = folder.to_str().unwrap();
    let wrapper = ["unshare", "-r", "-m", "sh", "-c", mount, path];
    match child::says(&wrapper, &format!("full {path}")) {
        Some(said) => assert_eq!(said, "nothing lost"),
        None => skip("no tmpfs of one's own: no unshare, or no right to mount"),
    }
    fs::remove_dir(folder).unwrap();
}

/// The child's side.
pub fn fill(folder: &Path) -> String {
    let (bytes, path) = (pattern(child::BYTES, 1), folder.join("full"));
    for (method, kind) in child::METHODS {
        let (from, full, rest) = (source(kind, &bytes), File::create(&path).unwrap(), unnamed());
        let mut transfer = Transfer::by(method, None);
        let error = transfer.run(&from, &full).unwrap_err();
        assert_eq!(error.error().kind(), ErrorKind::StorageFull, "{method:?}: {error}");
        let written = fs::read(&path).unwrap();
        assert_eq!(error.done(), written.len() as u64, "{method:?}");
        assert!(!written.is_empty() && written.len() <= 65_536, "{method:?}");
        transfer.run(&from, &rest).unwrap();
        assert!([written, contents(&rest)].concat() == bytes, "{method:?}");
    }
    let (full, rest) = (File::create(&path).unwrap(), unnamed());
    let mut pieces = write_all_vectored(bytes.chunks(1000));
    let error = pieces.run(&full).unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::StorageFull);
    let written = fs::read(&path).unwrap();
    assert_eq!(error.done(), written.len() as u64);
    pieces.run(&rest).unwrap();
    assert!([written, contents(&rest)].concat() == bytes);
    "nothing lost".to_owned()
}
