//! Memory that Python fills, and the pool that it comes from.

use crate::slice::Slice;
use aqueduct::SliceMut;
use pyo3::{
    exceptions::{PyBufferError, PyMemoryError, PyValueError},
    prelude::*,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Blocks that come back when the last slice or view of them is gone.
#[pyclass(frozen, module = "aqueduct")]
pub(crate) struct Pool(aqueduct::Pool);

#[pymethods]
impl Pool {
    /// A pool whose blocks are aligned to so many bytes: a power of two, up to a page.
    #[new]
    #[pyo3(signature = (*, alignment = 64))]
    fn new(alignment: usize) -> PyResult<Self> {
        let pool = aqueduct::Pool::builder().alignment(alignment).build();
        pool.map(Self).map_err(|e| PyValueError::new_err(e.to_string()))
    }

    /// A block of so many bytes to fill.
    fn get(&self, len: usize) -> PyResult<Block> {
        Ok(Block { len, state: Mutex::new(State::Held(get(&self.0, len)?)) })
    }

    /// Blocks that are not back yet.
    #[getter]
    fn outstanding(&self) -> u64 {
        self.0.outstanding()
    }
}

/// An empty block for at least so many bytes.
pub(crate) fn get(pool: &aqueduct::Pool, len: usize) -> PyResult<SliceMut> {
    pool.try_get(len).map_err(|e| PyMemoryError::new_err(e.to_string()))
}

/// Bytes to be filled by what takes a writable buffer, such as `readinto`, and then frozen. What they are
/// before that is not said.
#[pyclass(frozen, module = "aqueduct")]
pub(crate) struct Block {
    len: usize,
    state: Mutex<State>,
}

/// Who may touch the bytes.
pub(crate) enum State {
    /// Nobody but the block.
    Held(SliceMut),
    /// One buffer that Python has.
    Lent(SliceMut),
    /// Everybody, for reading.
    Frozen,
}

impl Block {
    /// The state, and how many bytes the block has.
    pub(crate) fn state(&self) -> (MutexGuard<'_, State>, usize) {
        // It is replaced whole, so a panic leaves nothing half done.
        (self.state.lock().unwrap_or_else(PoisonError::into_inner), self.len)
    }
}

#[pymethods]
impl Block {
    fn __len__(&self) -> usize {
        self.len
    }

    /// The first so many bytes, or all, as a slice, for which nothing is copied. The block is used up.
    #[pyo3(signature = (len = None))]
    fn freeze(&self, len: Option<usize>) -> PyResult<Slice> {
        let len = len.unwrap_or(self.len);
        if len > self.len {
            let said = format!("{len} bytes of a block of {}", self.len);
            return Err(PyValueError::new_err(said));
        }
        let (mut state, _) = self.state();
        match std::mem::replace(&mut *state, State::Frozen) {
            State::Held(mut block) => {
                block.commit(len);
                Ok(Slice(block.freeze()))
            }
            State::Lent(block) => {
                *state = State::Lent(block);
                Err(PyBufferError::new_err("a view may still write to the block: release it first"))
            }
            State::Frozen => Err(PyBufferError::new_err("the block is frozen already")),
        }
    }
}
