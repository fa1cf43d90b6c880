//! [`Executor`]: runs a graph, and stops, pauses and resumes it.

use crate::{Cluster, Error, Graph, distributed, metrics::Metrics, operator::Travel, threads};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering::SeqCst},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// How long threads that were told to stop at once may take for the item that they are at.
const AT_ONCE: Duration = Duration::from_secs(2);

/// How a graph is run.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Nodes call one another, threads meet at bounded queues, nothing is copied.
    InProcess,
    /// The same, with each item as JSON text on each edge.
    Copying,
    /// The same, with a clone of each payload on each edge.
    Cloning,
    /// On timely dataflow, on several processes.
    Distributed(Cluster),
    /// As distributed, and what holds no state moves to all workers only when more items per second come
    /// than this.
    Hybrid(Cluster, f64),
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not begun.
    Ready,
    /// At work.
    Running,
    /// Its sources wait.
    Paused,
    /// Over, one way or another.
    Stopped,
}

/// What sources and threads are asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Run,
    Pause,
    /// Take nothing from sources any more; finish what is under way.
    Drain,
    /// Finish nothing.
    Abort,
}

/// A run's wishes, as its threads see them.
#[derive(Debug, Default)]
pub(crate) struct Control {
    wish: AtomicU8,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Control {
    pub(crate) fn wish(&self) -> Wish {
        match self.wish.load(SeqCst) {
            0 => Wish::Run,
            1 => Wish::Pause,
            2 => Wish::Drain,
            _ => Wish::Abort,
        }
    }

    /// Nothing comes after an abort, and nothing else after a drain.
    pub(crate) fn ask(&self, wish: Wish) {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if wish == Wish::Abort || !self.ending() {
            self.wish.store(wish as u8, SeqCst);
        }
        self.changed.notify_all();
    }

    pub(crate) fn ending(&self) -> bool {
        matches!(self.wish(), Wish::Drain | Wish::Abort)
    }

    /// What is wished, once that is not to pause.
    pub(crate) fn gate(&self) -> Wish {
        let wish = self.wish();
        if wish != Wish::Pause {
            return wish;
        }
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.wish() == Wish::Pause {
            lock = self.changed.wait(lock).unwrap_or_else(PoisonError::into_inner);
        }
        self.wish()
    }
}

/// What a thread of a run needs to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) control: Arc<Control>,
    pub(crate) metrics: Arc<Metrics>,
    results: Sender<Result<(), Error>>,
}

impl Run {
    /// A thread of the run; its failure ends the run.
    pub(crate) fn spawn(
        &self,
        name: String,
        work: impl FnOnce() -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let run = self.clone();
        let spawned = thread::Builder::new().name(name).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Error::Panicked));
            if result.is_err() {
                run.control.ask(Wish::Abort);
            }
            // Nobody may be left to hear it.
            let _ = run.results.send(result);
        });
        spawned.map(drop).map_err(|error| Error::Io("a thread".into(), error))
    }
}

/// Runs a graph once.
#[derive(Debug)]
pub struct Executor {
    graph: Graph,
    mode: Mode,
    state: State,
    run: Run,
    results: Receiver<Result<(), Error>>,
    threads: usize,
}

impl Executor {
    /// A run that has not begun.
    #[must_use]
    pub fn new(graph: Graph, mode: Mode) -> Self {
        let stages = match &mode {
            Mode::InProcess | Mode::Copying | Mode::Cloning => threads::stages(&graph),
            Mode::Distributed(_) => distributed::stages(&graph, false),
            Mode::Hybrid(..) => distributed::stages(&graph, true),
        };
        let whole = match &mode {
            Mode::Distributed(cluster) | Mode::Hybrid(cluster, _) => cluster.addresses.len() == 1,
            _ => true,
        };
        let metrics = Arc::new(Metrics::new(&graph, &stages, whole));
        let (sender, results) = mpsc::channel();
        let run = Run { control: Arc::default(), metrics, results: sender };
        Self { graph, mode, state: State::Ready, run, results, threads: 0 }
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What went through so far.
    #[must_use]
    pub fn metrics(&self) -> Arc<Metrics> {
        self.run.metrics.clone()
    }

    /// Begins.
    ///
    /// # Errors
    ///
    /// When it has begun before, and those of nodes that cannot be made.
    pub fn start(&mut self) -> Result<(), Error> {
        self.must_be("start", &[State::Ready])?;
        self.state = State::Stopped;
        let (graph, run) = (&self.graph, &self.run);
        self.threads = match &self.mode {
            Mode::InProcess => threads::start(graph, run, Travel::Move)?,
            Mode::Copying => threads::start(graph, run, Travel::Json)?,
            Mode::Cloning => threads::start(graph, run, Travel::Clone)?,
            Mode::Distributed(cluster) => distributed::start(graph, run, cluster, None)?,
            Mode::Hybrid(cluster, most) => distributed::start(graph, run, cluster, Some(*most))?,
        };
        self.state = State::Running;
        Ok(())
    }

    /// Lets sources wait. What they gave before goes on.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn pause(&mut self) -> Result<(), Error> {
        self.must_be("pause", &[State::Running])?;
        self.run.control.ask(Wish::Pause);
        self.state = State::Paused;
        Ok(())
    }

    /// Lets sources go on.
    ///
    /// # Errors
    ///
    /// When it is not paused.
    pub fn resume(&mut self) -> Result<(), Error> {
        self.must_be("resume", &[State::Paused])?;
        self.run.control.ask(Wish::Run);
        self.state = State::Running;
        Ok(())
    }

    /// Ends sources, of all processes, and waits for what is under way; after this time, no longer.
    ///
    /// # Errors
    ///
    /// When it does not run, what ended the run before, and [`Error::Aborted`] when the time was too short.
    pub fn stop(&mut self, grace: Duration) -> Result<(), Error> {
        self.must_be("stop", &[State::Running, State::Paused])?;
        self.run.control.ask(Wish::Drain);
        self.finish(Some(Instant::now() + grace))
    }

    /// What ends sources of all processes when it is called, in whatever thread, while this one waits.
    pub fn stopper(&self) -> impl Fn() + Send + use<> {
        let control = self.run.control.clone();
        move || control.ask(Wish::Drain)
    }

    /// Ends all, whatever is under way.
    ///
    /// # Errors
    ///
    /// When it does not run, and what ended the run before.
    pub fn stop_now(&mut self) -> Result<(), Error> {
        self.must_be("stop at once", &[State::Running, State::Paused])?;
        match self.finish(Some(Instant::now())) {
            Err(Error::Aborted) => Ok(()),
            result => result,
        }
    }

    /// Waits until all sources have ended and all is done.
    ///
    /// # Errors
    ///
    /// When it does not run, and what ended the run.
    pub fn wait(&mut self) -> Result<(), Error> {
        self.must_be("wait", &[State::Running])?;
        self.finish(None)
    }

    /// [`start`](Self::start) and [`wait`](Self::wait).
    ///
    /// # Errors
    ///
    /// Those of both.
    pub fn run(&mut self) -> Result<(), Error> {
        self.start()?;
        self.wait()
    }

    fn finish(&mut self, mut until: Option<Instant>) -> Result<(), Error> {
        self.state = State::Stopped;
        let mut ended = Ok(());
        while self.threads > 0 {
            let left =
                until.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
            match self.results.recv_timeout(left) {
                Ok(result) => {
                    self.threads -= 1;
                    if let Err(error) = result {
                        // Whoever was stopped by another's failure says less than the other.
                        if !matches!((&ended, &error), (Err(_), Error::Aborted)) {
                            ended = Err(error);
                        }
                        until.get_or_insert(Instant::now() + AT_ONCE);
                    }
                }
                Err(RecvTimeoutError::Timeout) if self.run.control.wish() != Wish::Abort => {
                    self.run.control.ask(Wish::Abort);
                    until = Some(Instant::now() + AT_ONCE);
                }
                Err(_) => return ended.and(Err(Error::Aborted)),
            }
        }
        ended
    }

    fn must_be(&self, asked: &'static str, states: &[State]) -> Result<(), Error> {
        if states.contains(&self.state) {
            return Ok(());
        }
        let state = match self.state {
            State::Ready => "not started",
            State::Running => "running",
            State::Paused => "paused",
            State::Stopped => "stopped",
        };
        Err(Error::State { asked, state })
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.run.control.ask(Wish::Abort);
    }
}
