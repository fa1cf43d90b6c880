//! What happens to operations when the kernel answers, and when nobody asks any more.

use super::{
    Core, File, Group, Held, NOBODY, Stream, ZeroCopy,
    group::Debt,
    slab::{Key, Operation, Slab},
    unsupported,
};
use crate::zero_copy::ZeroCopyAnswer;
use aqueduct_base::sync::thread;
use aqueduct_slice::Slice;
use io_uring::{cqueue, opcode, squeue};
use std::{
    collections::VecDeque,
    io, mem,
    task::Waker,
    time::{Duration, Instant},
};

/// In the notification of a zero-copy send: bytes were copied.
const COPIED: i32 = i32::MIN;
/// How long a ring that is dropped waits for operations to end before it leaks what they use.
const GRACE: Duration = Duration::from_secs(1);

/// What remains to be done after a completion, without the ring: it may run other people's code.
pub(crate) enum Effect {
    Nothing,
    Wake(Waker),
    Drop(Operation),
}

impl Effect {
    pub(crate) fn run(self) {
        match self {
            Self::Nothing => {}
            Self::Wake(waker) => waker.wake(),
            Self::Drop(operation) => drop(operation),
        }
    }
}

/// Whether a send is to be done again, as it is with any socket; and notes it if all are.
fn is_refused(result: i32, said: &ZeroCopy) -> bool {
    match result.wrapping_neg() {
        // Not with this kind of socket; or not by a kernel that cannot say whether it copies.
        libc::EOPNOTSUPP | libc::EINVAL => said.note(ZeroCopyAnswer::Unsupported),
        // It may lock no more memory, for now.
        libc::ENOBUFS | libc::ENOMEM => {}
        _ => return false,
    }
    true
}

/// An operation's result, and what it held unless the kernel uses that still.
pub(crate) struct Done {
    pub(crate) result: io::Result<usize>,
    pub(crate) held: Option<Held>,
    /// Dropped without the ring: other people's destructors may come back to it.
    _rest: Option<(File, Option<Waker>)>,
}

impl Done {
    /// Of a ring that fails.
    pub(crate) fn failed(refused: io::Error) -> Self {
        Self { result: Err(refused), held: None, _rest: None }
    }
}

impl Core {
    /// Takes up a completion, if there is one.
    pub(crate) fn complete(&mut self) -> Option<Effect> {
        let mut completion = self.ring.completion().next();
        if completion.is_none() && self.must_enter() {
            // What cannot be had now comes with the next call.
            self.submit(0, None).ok()?;
            completion = self.ring.completion().next();
        }
        let completion = completion?;
        let key = Key::from_bits(completion.user_data());
        Some(self.take_up(key, completion.result(), completion.flags()))
    }

    fn take_up(&mut self, key: Key, result: i32, flags: u32) -> Effect {
        // Nobody's, or of an operation that is over: another one may be in its place.
        let Some(operation) = self.slab.get(key) else { return Effect::Nothing };
        operation.armed = cqueue::more(flags);
        match &mut operation.held {
            Held::Send { zero_copy: Some(said), .. } if cqueue::notif(flags) => {
                // What was not sent is not copied, whatever the kernel calls it.
                if operation.result.map_or(operation.orphaned, |sent| sent > 0) {
                    let copied = result & COPIED != 0;
                    said.note(if copied { ZeroCopyAnswer::Copied } else { ZeroCopyAnswer::Sent });
                }
            }
            Held::Send { zero_copy: Some(said), .. } if is_refused(result, said) => {}
            Held::Gather(gather) => operation.result = (!gather.goes_on(result)).then_some(result),
            Held::Stream(stream) => {
                if let Some(number) = cqueue::buffer_select(flags) {
                    let group = &mut self.groups[usize::from(stream.group)];
                    match usize::try_from(result) {
                        Ok(filled) if filled > 0 && !operation.orphaned => {
                            let slice = group.take(number, filled, &mut stream.debt);
                            stream.received.push_back(Ok(slice));
                        }
                        _ => group.offer(number),
                    }
                }
                stream.note(result);
                self.steer(key);
            }
            _ => operation.result = Some(result),
        }
        self.settle(key)
    }

    /// As if the kernel had said so of an operation that it has not seen.
    #[cfg(test)]
    pub(crate) fn pretend(&mut self, key: Key, result: i32) -> Effect {
        assert!(self.retract(key), "seen");
        self.take_up(key, result, 0)
    }

    /// After a completion: ends what nobody waits for, or wakes who does.
    fn settle(&mut self, key: Key) -> Effect {
        let Some(operation) = self.slab.get(key) else { return Effect::Nothing };
        if operation.orphaned && !operation.armed {
            return self.end(key).map_or(Effect::Nothing, Effect::Drop);
        }
        // Who is woken has the kernel hear of the new entry.
        let effect = operation.waker.take().map_or(Effect::Nothing, Effect::Wake);
        if !operation.armed && operation.result.is_none() {
            match &mut operation.held {
                Held::Stream(_) => return effect, // steered
                Held::Send { zero_copy, .. } => *zero_copy = None,
                _ => {}
            }
            self.arm(key);
        }
        effect
    }

    /// Takes an operation out that nobody waits for; its block, if registered, goes to the table.
    fn end(&mut self, key: Key) -> Option<Operation> {
        let mut operation = self.slab.remove(key)?;
        if let Held::ReadFixed { block, index, .. } = &mut operation.held {
            self.table.give_back(*index, mem::take(block));
        }
        Some(operation)
    }

    /// An operation's result, if it has one; else `waker` will be woken, and becomes the one before.
    pub(crate) fn poll(&mut self, key: Key, waker: &mut Option<Waker>) -> Option<Done> {
        let operation = self.slab.get(key)?;
        let Some(result) = operation.result.take() else {
            mem::swap(&mut operation.waker, waker);
            return None;
        };
        let result = usize::try_from(result)
            .map_err(|_| io::Error::from_raw_os_error(result.wrapping_neg()));
        if operation.armed {
            operation.orphaned = true; // the notification is to come, and then it ends
            return Some(Done { result, held: None, _rest: None });
        }
        let Operation { held, file, waker, .. } = self.slab.remove(key)?;
        Some(Done { result, held: Some(held), _rest: Some((file, waker)) })
    }

    /// The next of what a stream has received, none at its end; or, as [`poll`](Self::poll), a wait.
    pub(crate) fn next(
        &mut self,
        key: Key,
        waker: &mut Option<Waker>,
    ) -> Option<Option<io::Result<Slice>>> {
        let operation = self.slab.get(key)?;
        let Held::Stream(stream) = &mut operation.held else { return None };
        if let Some(received) = stream.received.pop_front() {
            self.steer(key);
            return Some(Some(received));
        }
        if stream.ended {
            return Some(None);
        }
        mem::swap(&mut operation.waker, waker);
        None
    }

    /// Has a stream pause while much of it waits, and go on when that is taken.
    fn steer(&mut self, key: Key) {
        let Some(operation) = self.slab.get(key) else { return };
        let Held::Stream(stream) = &mut operation.held else { return };
        stream.pausing &= operation.armed;
        let waits = stream.received.len();
        if operation.armed && !stream.pausing && waits >= stream.ahead {
            stream.pausing = true;
            self.cancel(key);
        } else if !operation.armed && !operation.orphaned && !stream.ended && waits < stream.ahead {
            self.arm(key);
        }
    }

    /// Gives an operation up: the kernel is asked to end it, and what it holds stays until it has. What
    /// is given back is dropped without the ring.
    pub(crate) fn abandon(&mut self, key: Key) -> (Option<Waker>, Option<Operation>) {
        let Some(operation) = self.slab.get(key) else { return (None, None) };
        operation.orphaned = true;
        let waker = operation.waker.take();
        if !operation.armed || self.retract(key) {
            return (waker, self.end(key));
        }
        self.cancel(key);
        (waker, None)
    }

    /// Takes an entry back that the kernel has not seen.
    fn retract(&mut self, key: Key) -> bool {
        let mine = |entry: &squeue::Entry| entry.get_user_data() == key.to_bits();
        let found = self.waiting.iter().position(mine);
        found.and_then(|place| self.waiting.remove(place)).is_some()
    }

    fn cancel(&mut self, key: Key) {
        let cancel = opcode::AsyncCancel::new(key.to_bits()).build();
        self.waiting.push_back(cancel.user_data(NOBODY));
    }
}

impl Stream {
    pub(crate) fn new(group: u16, ahead: usize) -> Self {
        let (received, debt) = (VecDeque::new(), Debt::default());
        Self { group, received, debt, ahead, ended: false, pausing: false }
    }

    /// What a result says, beside the bytes that came with it.
    fn note(&mut self, result: i32) {
        match result.wrapping_neg() {
            0 => self.ended = true,
            // All blocks were full at once; or it pauses. It goes on with another entry.
            libc::ENOBUFS | libc::ECANCELED => {}
            libc::EINVAL => self.fail(unsupported("this kernel has no multishot RECV")),
            refused if refused > 0 => self.fail(io::Error::from_raw_os_error(refused)),
            _ => {}
        }
    }

    fn fail(&mut self, refused: io::Error) {
        self.ended = true;
        self.received.push_back(Err(refused));
    }
}

impl Drop for Core {
    /// Nobody can ask for a result any more. Has all operations end, and waits for that; what has not
    /// ended in time is leaked, for the kernel may still use it.
    ///
    /// Other people's destructors run last, when that is over: one that panics cuts nothing short.
    fn drop(&mut self) {
        let mut ended = Vec::new();
        Leaking(self).0.end_all(&mut ended);
    }
}

impl Core {
    fn end_all(&mut self, ended: &mut Vec<Effect>) {
        let keys: Vec<_> = self.slab.keys().collect();
        for key in keys {
            let (waker, operation) = self.abandon(key);
            ended.extend(operation.map(Effect::Drop));
            ended.extend(waker.map(Effect::Wake)); // for nothing: it is dropped
        }
        let deadline = Instant::now() + GRACE;
        while self.slab.len() > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.submit(1, Some(left)).is_err() {
                break;
            }
            while let Some(effect) = self.complete() {
                ended.push(effect);
            }
            if self.is_stuck() {
                thread::yield_now();
            }
        }
    }
}

/// A ring that is being dropped. When that is over, whatever way, what is in its slab stays where it is,
/// and so do the groups from which a stream in there receives.
struct Leaking<'a>(&'a mut Core);

impl Drop for Leaking<'_> {
    fn drop(&mut self) {
        let core = &mut *self.0;
        if core.slab.len() == 0 {
            return;
        }
        let keys: Vec<_> = core.slab.keys().collect();
        let group = |key| match core.slab.get(key)?.held {
            Held::Stream(Stream { group, .. }) => Some(usize::from(group)),
            _ => None,
        };
        let named: Vec<_> = keys.into_iter().filter_map(group).collect();
        let (used, unused): (Vec<_>, Vec<_>) =
            (0..).zip(mem::take(&mut core.groups)).partition(|(number, _)| named.contains(number));
        // Dropped as ever, after the ring.
        core.groups = unused.into_iter().map(|(_, group)| group).collect();
        let used = used.into_iter().map(|(_, group)| group).collect();
        leak((mem::take(&mut core.slab), used));
    }
}

/// What was leaked, where a leak checker finds it.
#[cfg(test)]
static LEAKED: aqueduct_base::sync::Mutex<Vec<usize>> = aqueduct_base::sync::Mutex::new(Vec::new());

fn leak(used: (Slab, Vec<Group>)) {
    let _leaked = Box::leak(Box::new(used));
    #[cfg(test)]
    LEAKED.lock().push(std::ptr::from_mut(_leaked).expose_provenance());
}
