//! Two processes of the program.

use crate::random::Folder;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::Read,
    net::TcpListener,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A process of the program that ends with its test.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(graph: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_streamweave"));
        Self::of(command.arg("run").arg(graph).args(arguments))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
        Self(command.spawn().expect("it starts"))
    }

    /// Its status, standard output and standard error; fails if it takes longer than this.
    pub(crate) fn wait(mut self, most: Duration) -> (ExitStatus, String, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().expect("a child") {
                break status;
            }
            assert!(begun.elapsed() < most, "it hangs: {:?}", self.said());
            thread::sleep(Duration::from_millis(2));
        };
        let [out, err] = self.said();
        (status, out, err)
    }

    fn said(&mut self) -> [String; 2] {
        let _ = self.0.kill();
        let (mut out, mut err) = (String::new(), String::new());
        self.0.stdout.take().expect("piped").read_to_string(&mut out).expect("text");
        self.0.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
        [out, err]
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("it runs");
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_none()
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("it runs");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Addresses, on ports that nobody has.
pub(crate) fn free<const N: usize>() -> [String; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("bound").to_string())
}

/// A file with two addresses.
pub(crate) fn hosts(folder: &Folder) -> String {
    hosts_of::<2>(folder)
}

/// A file with so many.
pub(crate) fn hosts_of<const N: usize>(folder: &Folder) -> String {
    let path = folder.0.join("hosts");
    fs::write(&path, free::<N>().join("\n")).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

/// Both processes of a graph.
pub(crate) fn both(folder: &Folder, graph: &Path, more: &[&str]) -> [Process; 2] {
    let hosts = hosts(folder);
    ["0", "1"].map(|index| {
        let own = ["-p", index, "-n", "2", "-h", &hosts];
        Process::start(graph, &[&own, more].concat())
    })
}

/// Runs a graph in two processes, and gives what they said.
pub(crate) fn run(folder: &Folder, text: &str, more: &[&str]) -> [String; 2] {
    let graph = folder.0.join("graph.toml");
    fs::write(&graph, text).expect("written");
    both(folder, &graph, more).map(|process| {
        let (status, out, err) = process.wait(Duration::from_secs(60));
        assert!(status.success() && err.is_empty(), "{status} {err} {text}");
        out
    })
}
