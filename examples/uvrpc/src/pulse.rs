//! [`Pulse`]: whether the peer is still there.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// When to send a PING, and when to give a peer up. Costs a look at the clock for what is received, and
/// nothing where neither side asked for it.
pub(crate) struct Pulse {
    every: Duration,
    patience: Duration,
    heard: Instant,
    asked: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

pub(crate) enum Beat {
    /// To be sent, with the patience that is asked of the peer.
    Ping(Duration),
    Silent,
}

impl Pulse {
    pub(crate) fn new(every: Duration) -> Self {
        let now = Instant::now();
        let timer = (!every.is_zero()).then(|| Box::pin(sleep_until(now + every)));
        Self { every, patience: every * 2, heard: now, asked: now, timer }
    }

    pub(crate) fn heard(&mut self) {
        if self.timer.is_some() {
            self.heard = Instant::now();
        }
    }

    /// Has the shorter patience from now on; zero says nothing.
    pub(crate) fn wait_for(&mut self, patience: Duration) {
        if patience.is_zero() || (!self.patience.is_zero() && self.patience <= patience) {
            return;
        }
        (self.patience, self.heard) = (patience, Instant::now());
        let until = self.heard + patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Beat> {
        let Some(timer) = &mut self.timer else { return Poll::Pending };
        while timer.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let silent = self.heard + self.patience;
            if now >= silent {
                return Poll::Ready(Beat::Silent);
            }
            let due = !self.every.is_zero() && now >= self.asked + self.every;
            if due {
                self.asked = now;
            }
            let next =
                if self.every.is_zero() { silent } else { silent.min(self.asked + self.every) };
            timer.as_mut().reset(next);
            if due {
                return Poll::Ready(Beat::Ping(self.patience));
            }
        }
        Poll::Pending
    }
}
