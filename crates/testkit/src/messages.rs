//! What a compiler says, which each says in its own words.

use std::process::Command;

use crate::skip;

/// The compiler whose messages the tests of what must not compile hold.
const RECORDED: &str = "rustc 1.95.";

/// Whether messages may be compared: the compiler is the one that they were taken from; if not, that is a
/// [`skip`].
#[must_use]
pub fn may_compare_messages() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map_or_else(
        |error| error.to_string(),
        |said| String::from_utf8_lossy(&said.stdout).trim().to_owned(),
    );
    let may = version.starts_with(RECORDED);
    if !may {
        skip(&format!("messages are those of {RECORDED}x, this is {version}"));
    }
    may
}
