//! Python with the packages that peers need, in environments of this package's own.

use std::path::{Path, PathBuf};

use aqueduct_testkit::python;

/// The Python of an environment with the packages of this list and `more`, made anew when they change.
///
/// # Errors
///
/// Where Python or the network is missing: what failed, in a few words.
pub fn environment(list: &Path, more: &[&str]) -> Result<PathBuf, String> {
    python(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/copy-cost"), list, more)
}
