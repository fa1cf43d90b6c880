//! What is measured: a scenario with its input, run once over (a pass) in either mode.

use std::hint::black_box;
use std::ops::ControlFlow;

use aqueduct::Slice;

use crate::capture::Capture;
use crate::packets::{self, Counts, Tally};
use crate::pipeline;
use crate::run::Run;
use crate::{Error, Mode, Scenario};

/// The size of the document's example.
pub const PIPELINE_BYTES: usize = 10 << 20;
/// Packets that are timed together: reading the clock costs more than a packet does.
const PACKETS_TIMED: u64 = 256;

/// A scenario with its input.
#[derive(Debug)]
pub struct Workload {
    kind: Kind,
    seen: Option<Counts>,
}

#[derive(Debug)]
enum Kind {
    Packets { captures: Vec<Capture>, slices: Tally<Slice>, arrays: Tally<Vec<u8>> },
    Pipeline { input: Vec<u8> },
}

impl Workload {
    /// The scenario on the input that comes with it.
    ///
    /// # Errors
    ///
    /// Those of [`Capture::bundled`].
    pub fn of(scenario: Scenario) -> Result<Self, Error> {
        Ok(match scenario {
            Scenario::Packets => Self::packets(vec![Capture::bundled()?]),
            Scenario::Pipeline => Self::pipeline(PIPELINE_BYTES),
        })
    }

    /// Every packet of these captures.
    #[must_use]
    pub fn packets(captures: Vec<Capture>) -> Self {
        let (slices, arrays) = (Tally::new(), Tally::new());
        Workload { kind: Kind::Packets { captures, slices, arrays }, seen: None }
    }

    /// Three stages over so many bytes.
    #[must_use]
    pub fn pipeline(bytes: usize) -> Self {
        Workload { kind: Kind::Pipeline { input: pipeline::input(bytes) }, seen: None }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Packets { captures, .. } => {
                let names: Vec<_> = captures.iter().map(Capture::name).collect();
                let bytes: u64 = captures.iter().map(Capture::file_len).sum();
                format!("packets of {}, {bytes} bytes", names.join(", "))
            }
            Kind::Pipeline { input } => format!("three stages over {} bytes", input.len()),
        }
    }

    /// What an operation is.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self.kind {
            Kind::Packets { .. } => "packets/s",
            Kind::Pipeline { .. } => "runs/s",
        }
    }

    /// Operations that are timed together.
    #[must_use]
    pub fn timed_together(&self) -> u64 {
        match self.kind {
            Kind::Packets { .. } => PACKETS_TIMED,
            Kind::Pipeline { .. } => 1,
        }
    }

    /// What one pass over the captures saw, once there was one.
    #[must_use]
    pub fn seen(&self) -> Option<Counts> {
        self.seen
    }

    /// The first pass in a mode: it counts what there is.
    pub(crate) fn first_pass(&mut self, mode: Mode, run: &mut Run<'_>) -> Result<(), Error> {
        if let Kind::Packets { slices, arrays, .. } = &mut self.kind {
            (slices.counts, arrays.counts) = (Counts::default(), Counts::default());
        }
        let _ = self.pass(mode, run)?;
        if let Kind::Packets { slices, arrays, .. } = &self.kind {
            self.seen = Some(match mode {
                Mode::Copying => arrays.counts,
                Mode::ZeroCopy => slices.counts,
            });
        }
        Ok(())
    }

    /// Goes once over the input, telling `run` of each operation, until it says stop.
    pub(crate) fn pass(&mut self, mode: Mode, run: &mut Run<'_>) -> Result<ControlFlow<()>, Error> {
        match &mut self.kind {
            Kind::Pipeline { input } => {
                match mode {
                    Mode::Copying => drop(black_box(pipeline::copying(black_box(input)))),
                    Mode::ZeroCopy => drop(black_box(pipeline::zero_copy(black_box(input)))),
                }
                Ok(run.operation())
            }
            Kind::Packets { captures, slices, arrays } => {
                for capture in captures {
                    let flow = match mode {
                        Mode::Copying => packets::copying(capture, |packet| {
                            arrays.take(packet);
                            run.operation()
                        }),
                        Mode::ZeroCopy => packets::zero_copy(capture, |packet| {
                            slices.take(packet);
                            run.operation()
                        }),
                    }?;
                    if flow.is_break() {
                        return Ok(flow);
                    }
                }
                Ok(ControlFlow::Continue(()))
            }
        }
    }
}
