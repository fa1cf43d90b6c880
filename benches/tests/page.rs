//! The program writes the report's page beside the report, and says where.

use std::env;
use std::fs;
use std::process::{self, Command};

#[test]
fn the_page_lies_beside_the_report() {
    let folder = env::temp_dir().join(format!("copy-cost-beside-{}", process::id()));
    let (json, page) = (folder.join("part.json"), folder.join("part.html"));
    let out = Command::new(env!("CARGO_BIN_EXE_copy-cost"))
        .args(["--only", "claims.bandwidth", "--quick", "--json"])
        .arg(&json)
        .output()
        .expect("it runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = String::from_utf8_lossy(&out.stdout);
    for path in [&json, &page] {
        assert!(said.lines().any(|line| line.ends_with(&*path.to_string_lossy())), "{said}");
    }
    let page = fs::read_to_string(page).expect("the page");
    assert!(page.contains("by 83% (1MB vs 6MB)") && page.contains("No row of this run"));
    fs::remove_dir_all(folder).expect("it was made");
}
