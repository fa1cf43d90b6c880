//! Starting other programs, and saying clearly when one fails.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What every command returns: nothing, or one message for the user.
pub(crate) type Outcome = Result<(), String>;

/// The repository's root: the folder above this package.
pub(crate) fn root() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .and_then(|manifest| manifest.parent().map(Path::to_path_buf))
        .unwrap_or_else(|| PathBuf::from("."))
}

/// `cargo`, in the repository's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The program's path, if it is installed.
pub(crate) fn find_tool(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Shows the command, runs it, and turns a failure into a message.
pub(crate) fn execute(command: &mut Command) -> Outcome {
    println!("+ {}", shown(command));
    let status = command.status().map_err(|e| format!("cannot start {}: {e}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{status}: {}", shown(command))) }
}

/// Runs the command and gives its standard output; its standard error goes to the terminal.
pub(crate) fn capture(command: &mut Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cannot start {}: {e}", shown(command)))?;
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, shown(command)));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("{} printed {e}", shown(command)))
}

/// How a command with a time limit ended.
pub(crate) struct Finished {
    /// `None` when the limit stopped it.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) seconds: f64,
    /// Seconds that it computed, where the system tells: the same on a machine that others use.
    pub(crate) computed: f64,
    /// Standard output and standard error together.
    pub(crate) output: String,
}

/// Runs the command with its output in a file, and kills it when it has computed for so long, or four times as
/// long has passed.
///
/// The output goes to a file because a pipe that nobody reads would block the child.
pub(crate) fn run_limited(command: &mut Command, limit: Duration) -> Result<Finished, String> {
    let file = scratch("output.txt")?;
    let open = |e| format!("cannot write {}: {e}", file.display());
    let out = File::create(&file).map_err(open)?;
    let err = out.try_clone().map_err(open)?;
    let start = Instant::now();
    let mut child = command
        .stdout(out)
        .stderr(err)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|e| format!("cannot start {}: {e}", shown(command)))?;
    let wait = |e| format!("cannot wait for {}: {e}", shown(command));
    let mut computed = 0.0;
    let status = loop {
        computed = computed_by(child.id()).unwrap_or(computed);
        if let Some(status) = child.try_wait().map_err(wait)? {
            break Some(status);
        }
        if computed > limit.as_secs_f64() || start.elapsed() > limit * 4 {
            child.kill().map_err(wait)?;
            child.wait().map_err(wait)?;
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let seconds = start.elapsed().as_secs_f64();
    let bytes = fs::read(&file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
    remove(&file)?;
    let output = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Finished { status, seconds, computed, output })
}

/// Seconds of a processor that a process has used by now: its 14th and 15th word.
fn computed_by(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(f64::from(u32::try_from(ticks(&stat, 14)?).ok()?) / f64::from(TICKS))
}

/// In Linux's accounts a second has so many.
pub(crate) const TICKS: u32 = 100;

/// The sum of a word of Linux's `stat` of a process, counted from one, and of the next.
pub(crate) fn ticks(stat: &str, word: usize) -> Option<u64> {
    // The second one is the program's name in brackets, and may hold anything.
    let (_, words) = stat.rsplit_once(')')?;
    let mut times = words.split_whitespace().skip(word - 3).map(str::parse::<u64>);
    Some(times.next()?.ok()? + times.next()?.ok()?)
}

/// A file of this run under `target/xtask`.
pub(crate) fn scratch(name: &str) -> Result<PathBuf, String> {
    let folder = root().join("target/xtask");
    make(&folder)?;
    Ok(folder.join(format!("{}-{name}", std::process::id())))
}

/// The last lines of a program's output, indented.
pub(crate) fn tail(output: &str, lines: usize) -> String {
    let all: Vec<&str> = output.lines().collect();
    let skip = all.len().saturating_sub(lines);
    all.iter().skip(skip).map(|line| format!("    {line}\n")).collect()
}

/// Reads a file of the repository, with its name in the error.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

/// Writes one, likewise.
pub(crate) fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

/// Removes one.
pub(crate) fn remove(path: &Path) -> Outcome {
    fs::remove_file(path).map_err(|e| format!("cannot remove {}: {e}", path.display()))
}

/// Makes a folder, with those above it.
pub(crate) fn make(folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|e| format!("cannot create {}: {e}", folder.display()))
}

/// Which of the options that a command knows were given to it; any other is an error.
pub(crate) fn flags<const N: usize>(
    args: &[String],
    known: [&str; N],
) -> Result<[bool; N], String> {
    match args.iter().find(|arg| !known.contains(&arg.as_str())) {
        Some(odd) if N == 0 => Err(format!("takes no argument, got {odd}")),
        Some(odd) => Err(format!("no such option: {odd}")),
        None => Ok(known.map(|name| args.iter().any(|arg| arg == name))),
    }
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let mut line = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            line += &format!("{}={:?} ", name.to_string_lossy(), value.to_string_lossy());
        }
    }
    let program = Path::new(command.get_program());
    line += &program.file_name().unwrap_or(command.get_program()).to_string_lossy();
    for argument in command.get_args() {
        line += " ";
        line += &argument.to_string_lossy();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_known_or_refused() {
        let args = |args: &[&str]| args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>();
        assert_eq!(flags(&args(&["--b"]), ["--a", "--b"]), Ok([false, true]));
        assert!(flags(&args(&["--c"]), ["--a"]).is_err() && flags(&args(&["x"]), []).is_err());
    }

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 130 17 20 0";
        assert_eq!((ticks(stat, 14), ticks(stat, 16)), (Some(23), Some(147)));
    }

    #[test]
    fn who_computes_too_long_is_stopped() {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do :; done"]);
        let finished = run_limited(&mut command, Duration::from_millis(300)).unwrap();
        assert!(finished.status.is_none());
        let (computed, seconds) = (finished.computed, finished.seconds);
        assert!(computed > 0.3 || seconds > 1.2, "{computed} s in {seconds} s");
    }
}
