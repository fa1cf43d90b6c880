//! [`Load`]: the calls of a bench.

use super::{Failure, Style, latencies};
use crate::{Address, CallError, Client, Options, Outcome, Payload, Pending};
use hdrhistogram::Histogram;
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Notify,
};

const SERVICE: &str = "echo";

/// Makes calls of `echo` in one of the styles, on the calling thread alone.
pub struct Load {
    runtime: Runtime,
    chain: Arc<Chain>,
    style: Style,
    window: usize,
    under_way: VecDeque<(Instant, Pending)>,
}

impl Load {
    /// A client that calls with so many bytes of data, and has as many calls under way as `window` says.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn connect(
        address: Address,
        options: Options,
        style: Style,
        window: usize,
        payload: usize,
    ) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let client = {
            let _inside = runtime.enter();
            Client::connect(address, options)
        };
        let state = State { left: 0, under_way: 0, latencies: latencies(), failed: None };
        let chain = Chain {
            client,
            data: Payload::from(vec![7; payload]),
            state: Mutex::new(state),
            done: Notify::new(),
        };
        let under_way = VecDeque::with_capacity(window);
        Ok(Self { runtime, chain: Arc::new(chain), style, window, under_way })
    }

    /// Makes so many calls, waits for all replies, and notes how long each took.
    ///
    /// # Errors
    ///
    /// The first call's that failed, and that a reply is not what was sent.
    pub fn run(&mut self, calls: u64, latencies: &mut Histogram<u64>) -> Result<(), Failure> {
        match self.style {
            Style::Callback => self.chained(calls, latencies),
            Style::Serial | Style::Await => self.awaited(calls, latencies),
        }
    }

    /// The data of the reply of another service.
    ///
    /// # Errors
    ///
    /// The call's.
    pub(super) fn call(&mut self, service: &str) -> Result<Vec<u8>, Failure> {
        let reply = self.runtime.block_on(self.chain.client.call(service, "", None))?;
        Ok(reply.data.unwrap_or_default().pieces().concat())
    }

    fn awaited(&mut self, calls: u64, latencies: &mut Histogram<u64>) -> Result<(), Failure> {
        let Self { runtime, chain, window, under_way, .. } = self;
        runtime.block_on(async {
            let mut left = calls;
            while left > 0 || !under_way.is_empty() {
                if left > 0 && under_way.len() < *window {
                    left -= 1;
                    let begun = Instant::now();
                    let call = chain.client.begin(SERVICE, "", chain.data.clone())?;
                    under_way.push_back((begun, call));
                } else if let Some((begun, call)) = under_way.pop_front() {
                    chain.check(call.await)?;
                    record(latencies, begun);
                }
            }
            Ok(())
        })
    }

    fn chained(&mut self, calls: u64, latencies: &mut Histogram<u64>) -> Result<(), Failure> {
        let chain = &self.chain;
        chain.lock().left = calls;
        self.runtime.block_on(async {
            for _ in 0..self.window {
                next(chain);
            }
            while chain.lock().under_way > 0 {
                chain.done.notified().await;
            }
        });
        let state = &mut *chain.lock();
        latencies.add(&state.latencies)?;
        state.latencies.reset();
        state.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Calls of which each makes the next.
struct Chain {
    client: Client,
    data: Payload,
    state: Mutex<State>,
    done: Notify,
}

struct State {
    left: u64,
    under_way: usize,
    latencies: Histogram<u64>,
    failed: Option<CallError>,
}

impl Chain {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Numbers, each of which makes sense at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the echo.
    fn check(&self, outcome: Outcome) -> Result<(), CallError> {
        let same = outcome?.data.is_some_and(|data| data.len() == self.data.len());
        if same { Ok(()) } else { Err(CallError::Malformed) }
    }

    fn failed(&self, error: CallError) {
        let state = &mut *self.lock();
        (state.left, state.failed) = (0, Some(error));
    }
}

fn next(chain: &Arc<Chain>) {
    {
        let state = &mut *chain.lock();
        if state.left == 0 {
            return;
        }
        (state.left, state.under_way) = (state.left - 1, state.under_way + 1);
    }
    let (begun, own) = (Instant::now(), Arc::clone(chain));
    let then = move |outcome| {
        match own.check(outcome) {
            Ok(()) => record(&mut own.lock().latencies, begun),
            Err(error) => own.failed(error),
        }
        next(&own);
        over(&own);
    };
    if let Err(error) = chain.client.call_then(SERVICE, "", chain.data.clone(), then) {
        chain.failed(error);
        over(chain);
    }
}

fn over(chain: &Chain) {
    let state = &mut *chain.lock();
    state.under_way -= 1;
    if state.under_way == 0 {
        chain.done.notify_one();
    }
}

fn record(latencies: &mut Histogram<u64>, begun: Instant) {
    let ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
    latencies.saturating_record(ns);
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load").field("style", &self.style).finish_non_exhaustive()
    }
}
