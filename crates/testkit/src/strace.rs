//! Servers under strace: calls to the system fail, and no line of the program is changed for it.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use crate::skip;

/// How long a client waits for an answer before it says more: the kernel of strace says that a socket has
/// nothing when it has, and no other ever does, so only what comes next wakes the server.
const PATIENCE: Duration = Duration::from_millis(50);
/// Clients of a server with a fault.
const ALL: usize = 4;
/// Nothing takes longer, unless it hangs.
const HANGS: Duration = Duration::from_secs(20);

/// Whether strace is there and may trace; if not, that is a [`skip`].
#[must_use]
pub fn may_trace() -> bool {
    let probe = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "-e", "inject=getppid:error=EINTR", "true"])
        .output();
    let may = probe.is_ok_and(|probe| probe.status.success());
    if !may {
        skip("strace is not there, or may not trace");
    }
    may
}

/// What runs a program, which is to be added with its arguments, and does `inject` to it, as in
/// `recvfrom:error=EIO:when=3`; several with spaces between. What is done goes to the file `log`.
#[must_use]
pub fn injected(inject: &str, log: &Path) -> Command {
    let call = |inject: &str| inject.split(':').next().unwrap_or_default().to_owned();
    let calls: Vec<_> = inject.split(' ').map(call).collect();
    // The tracer steps aside: the child that is waited for, and signalled, is the program.
    let mut strace = Command::new("strace");
    strace.args(["-D", "-I2", "-f", "-q", "-e", &format!("trace={}", calls.join(","))]);
    for inject in inject.split(' ') {
        strace.args(["-e", &format!("inject={inject}")]);
    }
    // The leak checker traces its own process, which strace is doing already.
    strace.arg("-o").arg(log).env("ASAN_OPTIONS", "detect_leaks=0");
    strace
}

/// How many calls failed, as the file of a program says that has ended: when the tracer of process `id` has
/// written its last line.
#[must_use]
pub fn injections(id: u32, log: &Path) -> usize {
    let (id, since) = (id.to_string(), Instant::now());
    loop {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let is_last = |line: &str| line.starts_with(&id) && line.contains(" +++ ");
        if text.lines().any(is_last) || since.elapsed() > HANGS {
            return injected_in(log);
        }
        sleep(Duration::from_millis(1));
    }
}

fn injected_in(log: &Path) -> usize {
    std::fs::read_to_string(log).unwrap_or_default().matches("(INJECTED)").count()
}

/// Asks a process to end.
fn signal(id: &str) {
    let told = Command::new("kill").args(["-TERM", id]).status();
    assert!(told.expect("kill runs").success(), "it ran no more");
}

/// A server, some of whose calls fail. It says where it listens, and ends by a signal.
#[derive(Debug)]
pub struct Traced {
    /// What stands behind `listening on `, without its scheme.
    pub address: String,
    child: Child,
    said: BufReader<ChildStdout>,
    log: PathBuf,
    /// How many calls failed, when no more will.
    failed: Option<usize>,
}

impl Traced {
    /// Starts a program with its arguments, to which [`injected`] does `inject`. None when it ends before it
    /// listens.
    ///
    /// # Panics
    /// If there is no such program, or none to trace it with.
    #[must_use]
    pub fn start(server: &[&str], inject: &str) -> Option<Traced> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let log = format!("aqueduct-strace-{}-{number}", std::process::id());
        let log = std::env::temp_dir().join(log);
        let mut strace = injected(inject, &log);
        let mut child = strace.args(server).stdout(Stdio::piped()).spawn().expect("strace runs");
        let mut said = BufReader::new(child.stdout.take().expect("piped above"));
        let mut line = String::new();
        said.read_line(&mut line).expect("text");
        let mut this = Traced { address: String::new(), child, said, log, failed: None };
        match line.trim_end().strip_prefix("listening on ") {
            Some(at) => at.split("://").last().unwrap_or(at).clone_into(&mut this.address),
            None => {
                let ended = this.child.wait().expect("it ends");
                // Also where it cannot even be loaded.
                let code = ended.code();
                assert!(matches!(code, Some(1 | 127)), "{inject}: {ended}, which is no error");
                return None;
            }
        }
        Some(this)
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How many descriptors it has open.
    ///
    /// # Panics
    /// If the system does not tell.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.id());
        std::fs::read_dir(folder).expect("it runs").count()
    }

    /// The process that traces one of its threads.
    fn tracer(&self) -> Option<String> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.id())).ok()?;
        let tracer = |thread: PathBuf| {
            let status = std::fs::read_to_string(thread.join("status")).ok()?;
            let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?.trim();
            (tracer != "0").then(|| tracer.to_owned())
        };
        threads.flatten().find_map(|thread| tracer(thread.path()))
    }

    /// From now on no call fails.
    ///
    /// # Panics
    /// If its tracer does not go.
    pub fn release(&mut self) {
        let since = Instant::now();
        if let Some(tracer) = self.tracer() {
            signal(&tracer);
        }
        while self.tracer().is_some() {
            assert!(since.elapsed() < HANGS, "its tracer does not go");
            sleep(PATIENCE / 50);
        }
        self.failed = Some(injected_in(&self.log));
    }

    /// Ends it by a signal. How many calls failed, and its last words.
    ///
    /// # Panics
    /// If it does not end by itself, and well.
    #[must_use]
    pub fn end(mut self) -> (usize, String) {
        let since = Instant::now();
        signal(&self.id().to_string());
        let ended = loop {
            assert!(since.elapsed() < HANGS, "it does not end");
            match self.child.try_wait().expect("it is ours") {
                Some(ended) => break ended,
                None => sleep(PATIENCE / 50),
            }
        };
        let mut said = String::new();
        self.said.read_to_string(&mut said).expect("text");
        assert!(ended.success(), "{ended}: {said}");
        (self.failed(), said)
    }

    /// Whether it has ended by itself, with an error.
    fn has_failed(&mut self) -> bool {
        let since = Instant::now();
        loop {
            match self.child.try_wait().expect("it is ours") {
                Some(ended) => return ended.code() == Some(1),
                None if since.elapsed() > 60 * PATIENCE => return false,
                None => sleep(PATIENCE / 50),
            }
        }
    }

    /// Kills it. How many calls failed.
    #[must_use]
    pub fn kill(mut self) -> usize {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.failed()
    }

    /// How many calls failed, when it has ended.
    fn failed(&self) -> usize {
        self.failed.unwrap_or_else(|| injections(self.id(), &self.log))
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.log);
    }
}

/// A client that says `turns`, piece by piece, waits behind each for so many bytes, and says then that this
/// was all. What it is told up to the end, which may be a reset; nothing where nobody listens.
///
/// # Panics
/// If the end does not come.
#[must_use]
pub fn converse(address: &str, turns: &[(Vec<u8>, usize)]) -> Vec<u8> {
    let Ok(mut socket) = TcpStream::connect(address) else { return Vec::new() };
    socket.set_nodelay(true).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time");
    let (mut told, mut due, mut room) = (Vec::new(), 0_usize, [0; 4096]);
    for (says, more) in turns {
        due = due.saturating_add(*more);
        if socket.write_all(says).is_err() {
            break; // who is cut off says no more
        }
        while told.len() < due {
            match socket.read(&mut room) {
                Ok(count @ 1..) => told.extend_from_slice(&room[..count]),
                _ => break,
            }
        }
    }
    let _ = socket.shutdown(Shutdown::Write);
    socket.set_read_timeout(Some(HANGS)).expect("a time");
    if let Err(error) = socket.read_to_end(&mut told) {
        assert!(error.kind() != ErrorKind::WouldBlock, "the connection hangs");
    }
    told
}

/// Hides the dates in what an HTTP server tells, also one that is cut.
pub fn hide_dates(told: &mut [u8]) {
    const LINE: &[u8] = b"\r\ndate: ";
    let begins: Vec<_> = told.windows(LINE.len()).map(|part| part == LINE).collect();
    for at in (0..begins.len()).filter(|at| begins[*at]) {
        told[at + LINE.len()..].iter_mut().take(29).for_each(|byte| *byte = b'D');
    }
}

/// A server whose calls fail, one each time, in a process of its own; and what its clients say meanwhile.
#[derive(Debug)]
pub struct Faults<'a> {
    server: &'a [&'a str],
    mask: fn(&mut [u8]),
    /// What is said, and how many bytes are told behind it.
    turns: Vec<(Vec<u8>, usize)>,
    /// All that is told, masked.
    told: Vec<u8>,
    /// Descriptors that are open when nobody is connected any more.
    open: usize,
}

impl<'a> Faults<'a> {
    /// Learns what a server tells a client, up to what `mask` hides, where nothing fails: a program with its
    /// arguments.
    ///
    /// # Panics
    /// If it does not listen.
    #[must_use]
    pub fn new(server: &'a [&'a str], says: &[Vec<u8>], mask: fn(&mut [u8])) -> Faults<'a> {
        let usual = Traced::start(server, "getppid:error=EPERM").expect("it listens");
        let (mut turns, mut told) = (Vec::new(), Vec::new());
        for piece in says {
            turns.push((piece.clone(), usize::MAX));
            let before = told.len();
            told = converse(&usual.address, &turns);
            turns.last_mut().expect("pushed above").1 = told.len() - before;
        }
        mask(&mut told);
        let mut this = Faults { server, mask, turns, told, open: usize::MAX };
        assert_eq!(this.cut_off(&usual.address), 0);
        sleep(4 * PATIENCE); // those that nobody has any more are closed by then
        this.open = usual.descriptors();
        assert_eq!(usual.end().0, 0);
        this
    }

    /// Has each of these calls fail with its error, wherever the server makes it: the first time, then the
    /// second, and so on until there is none so late. (Ordinarily every third of them.) Each time it serves a
    /// few clients at once, and one more: they are told all, but for `costs` of them at most, which are cut
    /// off. Afterwards there are no more descriptors than without, and where it costs nobody, the server ends
    /// well, unless a signal itself may meet the fault.
    ///
    /// # Panics
    /// If that does not hold, or a call never failed.
    pub fn try_all(&self, calls: &[(&str, &str)], costs: usize) {
        for (call, error) in calls {
            // A sweep in which nothing failed has shown nothing.
            assert!(self.try_each(call, error, costs) > 0, "{call} never fails with {error}");
        }
    }

    /// How often a call failed.
    fn try_each(&self, call: &str, error: &str, costs: usize) -> usize {
        // tokio tells itself of a signal by these calls, and panics where they fail.
        let meets_signals = ["recvfrom", "read", "sendto", "write"].contains(&call);
        let mut failed = 0;
        for k in (1..).step_by(if crate::scale(1) > 1 { 1 } else { 3 }) {
            let inject = format!("{call}:error={error}:when={k}");
            // One that cannot even begin says so, and ends.
            let Some(mut traced) = Traced::start(self.server, &inject) else { continue };
            let lost = self.cut_off(&traced.address);
            if lost == ALL && traced.has_failed() {
                continue; // the same, a little later
            }
            let since = Instant::now();
            while traced.descriptors() > self.open && since.elapsed() < 60 * PATIENCE {
                sleep(PATIENCE / 50);
            }
            let open = traced.descriptors();
            assert!(open <= self.open, "{inject}: {open} descriptors, {} before", self.open);
            if meets_signals {
                traced.release();
            }
            let injected = if costs == 0 { traced.end().0 } else { traced.kill() };
            let costs = if injected == 0 { 0 } else { costs };
            assert!(lost <= costs, "{inject}: {lost} clients were cut off");
            if injected == 0 {
                return failed;
            }
            failed += injected;
        }
        unreachable!("there are only so many calls")
    }

    /// How many of all clients are cut off, of which all but one come at once. They are told nothing else.
    fn cut_off(&self, address: &str) -> usize {
        let is_cut_off = || {
            let mut told = converse(address, &self.turns);
            (self.mask)(&mut told);
            assert!(self.told.starts_with(&told), "a client was told something else");
            told.len() < self.told.len()
        };
        let at_once = scope(|scope| {
            let clients = [(); ALL - 1].map(|()| scope.spawn(is_cut_off));
            clients.map(|client| client.join().expect("a client that panicked"))
        });
        at_once.into_iter().filter(|cut_off| *cut_off).count() + usize::from(is_cut_off())
    }
}
