//! Other working trees of this repository, in which code may be broken.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Outcome, capture, execute, root};

/// What runs there is thrown away: no time goes into debug information, and no file is left of what
/// failed on purpose.
pub(crate) const THROWN_AWAY: [(&str, &str); 2] =
    [("CARGO_PROFILE_DEV_DEBUG", "0"), ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")];

/// The tree of that name below `target`, as the last commit is, with what was built there before.
pub(crate) fn tree(name: &str) -> Result<PathBuf, String> {
    let path = root().join("target/trees").join(name);
    if !path.join(".git").exists() {
        // One whose folder was deleted is known to git still.
        let mut add = git(&root());
        execute(add.args(["worktree", "add", "--force", "--detach", "--quiet"]).arg(&path))?;
    }
    let commit = capture(git(&root()).args(["rev-parse", "HEAD"]))?;
    execute(git(&path).args(["reset", "--hard", "--quiet", commit.trim()]))?;
    execute(git(&path).args(["clean", "--force", "-d", "--quiet"]))?;
    Ok(path)
}

/// Changes the tree as a patch says.
pub(crate) fn apply(tree: &Path, patch: &Path) -> Outcome {
    execute(git(tree).args(["apply", "--whitespace=nowarn"]).arg(patch))
}

fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    command
}
