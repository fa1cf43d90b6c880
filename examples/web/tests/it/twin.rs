//! The FastAPI application in a process of its own, where Python and its packages are to be had.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use aqueduct_testkit::skip;

use crate::recorded::{Request, folder, requests};

/// One environment is made at a time.
static MAKING: Mutex<()> = Mutex::new(());

/// A running twin; it ends with this.
#[derive(Debug)]
pub(crate) struct Twin {
    process: Child,
    python: PathBuf,
    pub(crate) address: SocketAddr,
}

impl Twin {
    /// Starts it, or says in one line why it cannot.
    pub(crate) fn start() -> Option<Twin> {
        let started = environment().and_then(Twin::start_with);
        started.map_err(|why| skip(&format!("no FastAPI to compare with: {why}"))).ok()
    }

    fn start_with(python: PathBuf) -> Result<Twin, String> {
        let mut command = Command::new(&python);
        // Its input is a pipe that ends with us, and it with that.
        command.args(["-B", "serve.py"]).current_dir(folder());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(|e| format!("cannot run it: {e}"))?;
        let mut lines = BufReader::new(process.stderr.take().expect("piped above")).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.split_once("running on http://")?.1.split(' ').next()?.parse().ok()
        });
        // What it prints of its own failures is read away, so that it never waits for us.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let Some(address) = address else {
            let _ = process.kill();
            let _ = process.wait();
            return Err("it ends at once".to_owned());
        };
        Ok(Twin { process, python, address })
    }

    /// Random requests of this seed.
    pub(crate) fn requests(&self, seed: usize) -> Vec<Request> {
        let mut command = Command::new(&self.python);
        command.args(["-B", "generate.py", "requests", "--seed", &seed.to_string()]);
        let output = command.current_dir(folder()).output().expect("the twin's own Python runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        requests(&String::from_utf8(output.stdout).expect("JSON in ASCII"))
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The Python of an environment with the twin's packages, made once for each list of them.
fn environment() -> Result<PathBuf, String> {
    let list = folder().join("requirements.txt");
    let text = std::fs::read(&list).map_err(|e| e.to_string())?;
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let here = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("twin-{:x}", hasher.finish()));
    let python = here.join("bin/python");
    let complete = here.join("complete");
    let _one = MAKING.lock().map_err(|_| "another test failed to make its environment")?;
    if complete.exists() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&here))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"];
    run(Command::new(&python).args(pip).args(["--timeout", "10", "-r"]).arg(&list))?;
    std::fs::write(complete, "").map_err(|e| e.to_string())?;
    Ok(python)
}

/// Runs a command to its end; what it says last is the error.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{name} does not run: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    Err(text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason").to_owned())
}
