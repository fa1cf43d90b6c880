//! A thread that keeps values and works on them when told.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// A thread with a state `S` of its own. Jobs run one after another; a job that panics poisons the
/// worker, and its panic comes out of the next [`Worker::call`].
#[derive(Debug)]
pub struct Worker<S> {
    jobs: Option<Sender<Job<S>>>,
    thread: Option<JoinHandle<()>>,
}

impl<S: Default + 'static> Worker<S> {
    /// Starts the thread.
    #[must_use]
    pub fn new() -> Worker<S> {
        let (jobs, inbox) = channel();
        let thread = std::thread::spawn(move || serve(&inbox));
        Worker { jobs: Some(jobs), thread: Some(thread) }
    }

    /// Hands a job over without waiting for it.
    pub fn post(&self, job: impl FnOnce(&mut S) + Send + 'static) {
        if let Some(jobs) = &self.jobs {
            // A worker that died of a panic tells it to the next `call`.
            let _ = jobs.send(Box::new(job));
        }
    }

    /// Runs a job there and waits for what it returns; all earlier jobs are then done too.
    ///
    /// # Panics
    /// With the panic of this job, or if an earlier one panicked.
    pub fn call<R: Send + 'static>(&self, job: impl FnOnce(&mut S) -> R + Send + 'static) -> R {
        let (answer, got) = channel();
        self.post(move |state| {
            let result = catch_unwind(AssertUnwindSafe(|| job(state)));
            let _ = answer.send(result);
        });
        match got.recv() {
            Ok(Ok(value)) => value,
            Ok(Err(payload)) => resume_unwind(payload),
            Err(_) => panic!("an earlier job of this worker panicked"),
        }
    }
}

impl<S: Default + 'static> Default for Worker<S> {
    fn default() -> Self {
        Self::new()
    }
}

fn serve<S: Default>(inbox: &Receiver<Job<S>>) {
    let mut state = S::default();
    while let Ok(job) = inbox.recv() {
        job(&mut state);
    }
}

impl<S> Drop for Worker<S> {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if ended.is_err() && !std::thread::panicking() {
                panic!("a job of this worker panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_run_in_order_on_one_thread() {
        let worker = Worker::<Vec<u32>>::new();
        for i in 0..10 {
            worker.post(move |v| v.push(i));
        }
        assert_eq!(worker.call(|v| v.clone()), (0..10).collect::<Vec<_>>());
    }

    #[test]
    #[should_panic(expected = "boo")]
    fn a_panic_comes_back() {
        Worker::<()>::new().call(|()| panic!("boo"));
    }
}
