//! What all threads write down: how much was done, what is alive, what was wrong.

use aqueduct_testkit::pattern;
use std::{
    str::FromStr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

/// A mistake on purpose, to see it noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// A block that holds one byte that it should not.
    Byte,
    /// A block that never comes back.
    Block,
    /// A file that is never closed.
    Descriptor,
    /// Memory that no pool knows of, and that grows.
    Memory,
}

impl FromStr for Plant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(match name {
            "byte" => Self::Byte,
            "block" => Self::Block,
            "descriptor" => Self::Descriptor,
            "memory" => Self::Memory,
            other => return Err(format!("no such mistake: {other}")),
        })
    }
}

/// Tallies, which order nothing.
#[derive(Debug)]
pub struct Ledger {
    /// Bytes from which those of every parcel are taken, as a wheel that is turned to the start of the parcel.
    wheel: Vec<u8>,
    pub plant: Option<Plant>,
    /// Parcels and foreign owners that are not dropped yet.
    pub alive: AtomicU64,
    pub parcels: AtomicU64,
    pub checked: AtomicU64,
    pub pipes: AtomicU64,
    pub threads: AtomicU64,
    /// What the kernel moved, and what it put into blocks by io_uring.
    pub moved: AtomicU64,
    pub by_uring: AtomicU64,
    pub over: AtomicBool,
    faults: Mutex<Vec<String>>,
}

/// After so many bytes a parcel repeats itself.
const PERIOD: usize = 251;
/// Bytes that are compared at once.
const STEP: usize = 16 << 10;

impl Ledger {
    pub fn new(plant: Option<Plant>) -> Self {
        Self {
            wheel: pattern(PERIOD + STEP, 0),
            plant,
            alive: AtomicU64::new(0),
            parcels: AtomicU64::new(0),
            checked: AtomicU64::new(0),
            pipes: AtomicU64::new(0),
            threads: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            by_uring: AtomicU64::new(0),
            over: AtomicBool::new(false),
            faults: Mutex::default(),
        }
    }

    /// Notes what is wrong; all threads end soon.
    pub fn fault(&self, what: String) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        self.over.store(true, Relaxed);
    }

    pub fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes what belongs at `start` and behind it.
    pub fn fill(&self, to: &mut [u8], start: usize) {
        for (step, part) in to.chunks_mut(STEP).enumerate() {
            let turned = &self.wheel[(start + step * STEP) % PERIOD..];
            part.copy_from_slice(&turned[..part.len()]);
        }
    }

    /// Compares with what belongs at `start` and behind it, and notes the first byte that differs.
    pub fn check(&self, bytes: &[u8], start: usize, what: &str) {
        for (step, part) in bytes.chunks(STEP).enumerate() {
            let wanted = &self.wheel[(start + step * STEP) % PERIOD..][..part.len()];
            if part != wanted {
                let at = part.iter().zip(wanted).position(|(is, want)| is != want).unwrap_or(0);
                self.fault(format!(
                    "{what}: byte {} of {} at {:p} is {} and should be {}, of a parcel from {start}",
                    step * STEP + at,
                    bytes.len(),
                    bytes.as_ptr(),
                    part[at],
                    wanted[at]
                ));
                return;
            }
        }
        self.checked.fetch_add(bytes.len() as u64, Relaxed);
    }
}
