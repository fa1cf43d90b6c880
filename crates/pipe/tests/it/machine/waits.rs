//! Who waits for what, and whether they were woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Wake, Waker};

/// What a half waits for. Totals are counted from the pipe's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A byte that was not examined.
    Fresh(usize),
    /// So many bytes, examined or not.
    Enough(usize),
    /// That the reader has little left.
    Resumed,
    /// That so many bytes are consumed.
    Consumed(usize),
    /// The same, unless the reader waits itself.
    Room(usize),
    /// The other half's end.
    End,
}

#[derive(Debug, Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The task of those who give their wait up: nobody asks whether it was woken.
pub const NOBODY: usize = 2;

/// The waits of one half, all of them its latest task's.
#[derive(Debug, Default)]
pub struct Waits {
    tasks: [Arc<Wakes>; 3],
    task: usize,
    /// How often that task was woken before.
    before: usize,
    list: Vec<Wait>,
}

impl Waits {
    /// A task begins a step that may become a wait.
    pub fn enter(&mut self, task: usize) -> Waker {
        if self.is_awake() {
            self.list.clear();
        }
        (self.task, self.before) = (task, self.count(task));
        Waker::from(Arc::clone(&self.tasks[task]))
    }

    /// It has become one, in place of those before.
    pub fn begin(&mut self, wait: Wait) {
        self.list = vec![wait];
    }

    /// It waits for the end, beside what it waits for already.
    pub fn begin_beside(&mut self) {
        self.list.push(Wait::End);
    }

    /// It has not: nobody waits any more.
    pub fn end(&mut self) {
        self.list.clear();
    }

    /// Something was done without waiting. Who waits for the end goes on.
    pub fn end_but_for_the_end(&mut self) {
        self.list.retain(|wait| *wait == Wait::End);
    }

    /// Up to which total its task wants bytes, if it sleeps; zero if not.
    pub fn wanted(&self) -> usize {
        let total = |wait: &Wait| match *wait {
            Wait::Fresh(total) | Wait::Enough(total) => total,
            _ => 0,
        };
        if self.is_awake() { 0 } else { self.list.iter().map(total).max().unwrap_or(0) }
    }

    /// A task that waits, though what it waits for is there.
    pub fn lost(&self, due: impl Fn(Wait) -> bool) -> Option<Wait> {
        let asleep = !self.is_awake() && self.task != NOBODY;
        self.list.iter().copied().find(|wait| asleep && due(*wait))
    }

    fn is_awake(&self) -> bool {
        self.count(self.task) > self.before
    }

    fn count(&self, task: usize) -> usize {
        self.tasks[task].0.load(Ordering::SeqCst)
    }
}

/// What the poll gave, if anything. If nothing, the task waits.
pub fn settle<T>(waits: &mut Waits, polled: Poll<T>, wait: Wait) -> Option<T> {
    match polled {
        Poll::Ready(done) => {
            waits.end();
            Some(done)
        }
        Poll::Pending => {
            waits.begin(wait);
            None
        }
    }
}
