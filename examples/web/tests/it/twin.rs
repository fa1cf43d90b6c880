//! The FastAPI application in a process of its own, where Python and its packages are to be had.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use aqueduct_testkit::{python, skip};

use crate::recorded::{Request, folder, requests};

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
        let list = folder().join("requirements.txt");
        let started =
            python(Path::new(env!("CARGO_TARGET_TMPDIR")), &list, &[]).and_then(Twin::start_with);
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
