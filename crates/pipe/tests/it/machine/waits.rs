//! Who waits for what, and whether they were woken.

use std::mem::discriminant;
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

/// The waits of one half, at most one of each kind, all of them its latest task's: none of them takes
/// another's place.
#[derive(Debug, Default)]
pub struct Waits {
    tasks: [Arc<Wakes>; 2],
    task: usize,
    /// How often that task was woken before.
    before: usize,
    /// The same of the task whose step may become a wait.
    entered: (usize, usize),
    list: Vec<Wait>,
}

impl Waits {
    /// A task begins a step that may become a wait. None: that which waits already, if one does.
    pub fn enter(&mut self, task: Option<usize>) -> Waker {
        if self.is_awake() {
            self.list.clear();
        }
        let task = task.unwrap_or(self.task);
        self.entered = (task, self.count(task));
        Waker::from(Arc::clone(&self.tasks[task]))
    }

    /// It has become one, beside those of other kinds.
    pub fn begin(&mut self, wait: Wait) {
        (self.task, self.before) = self.entered;
        self.list.retain(|other| discriminant(other) != discriminant(&wait));
        self.list.push(wait);
    }

    /// Nobody waits for so many bytes any more.
    pub fn give_up(&mut self) {
        self.list.retain(|wait| !matches!(wait, Wait::Enough(_)));
    }

    /// The half is gone.
    pub fn forget(&mut self) {
        self.list.clear();
    }

    /// Up to which total its task wants bytes until it is woken, if it sleeps; zero if not.
    pub fn wanted(&self) -> usize {
        let total = |wait: &Wait| match *wait {
            Wait::Fresh(total) | Wait::Enough(total) => Some(total),
            _ => None,
        };
        if self.is_awake() { 0 } else { self.list.iter().filter_map(total).min().unwrap_or(0) }
    }

    /// A task that waits, though what it waits for is there.
    pub fn lost(&self, due: impl Fn(Wait) -> bool) -> Option<Wait> {
        let asleep = !self.is_awake();
        self.list.iter().copied().find(|wait| asleep && due(*wait))
    }

    fn is_awake(&self) -> bool {
        self.count(self.task) > self.before
    }

    fn count(&self, task: usize) -> usize {
        self.tasks[task].0.load(Ordering::SeqCst)
    }
}

/// What the poll gave, if anything: that is no end of another wait. If nothing, the task waits.
pub fn settle<T>(waits: &mut Waits, polled: Poll<T>, wait: Wait) -> Option<T> {
    match polled {
        Poll::Ready(done) => Some(done),
        Poll::Pending => {
            waits.begin(wait);
            None
        }
    }
}
