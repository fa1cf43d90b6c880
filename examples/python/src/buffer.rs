//! Python's buffer protocol: where the bytes are, and that they stay there.
//!
//! 1. What a view points to is as long as it says, initialised, and stays in its place while the view
//!    lives: the view holds a reference to its exporter, and that holds the handle on the block.
//! 2. A slice's bytes are only lent for reading, and are written by nobody while a handle lives.
//! 3. A block is lent to one view at a time. While it is `Lent` nobody here looks at the bytes, and it
//!    cannot be frozen; only the end of that view makes it `Held` again.
//!
//! Python's side of the contract: `view` is a structure of the caller's that may be written, `flags` says
//! what is wanted, and a view that was filled is released once. Views of these classes are asked for with
//! the thread attached to Python.

use crate::{
    block::{Block, State},
    slice::Slice,
};
use pyo3::{exceptions::PyBufferError, ffi, prelude::*};
use std::{ffi::c_int, mem};

#[pymethods]
impl Slice {
    /// # Safety
    ///
    /// Python calls it, by the contract above.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let bytes: *const [u8] = slf.get().0.as_slice();
        // SAFETY: the class is frozen, so `slf` keeps this handle, and it the bytes (1); they are given
        // for reading (2). `view` and `flags` are Python's.
        unsafe { fill(slf.as_any(), view, bytes.cast_mut(), Access::Read, flags) }
    }
}

#[pymethods]
impl Block {
    /// # Safety
    ///
    /// Python calls it, by the contract above.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let (mut state, len) = slf.get().state();
        let mut block = match mem::replace(&mut *state, State::Frozen) {
            State::Held(block) => block,
            State::Lent(block) => {
                *state = State::Lent(block);
                return Err(PyBufferError::new_err("the block has a view: one at a time"));
            }
            State::Frozen => return Err(PyBufferError::new_err("the block is frozen")),
        };
        let bytes: *mut [u8] = &raw mut block.spare_mut()[..len];
        // SAFETY: the block was held, so nobody else has its bytes, and it is lent below (3); it keeps
        // them in place wherever its handle moves, and `slf` keeps the handle (1).
        let filled = unsafe { fill(slf.as_any(), view, bytes, Access::Write, flags) };
        *state = if filled.is_ok() { State::Lent(block) } else { State::Held(block) };
        filled
    }

    /// # Safety
    ///
    /// Python calls it, once for each view that was filled.
    unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {
        let (mut state, _) = self.state();
        *state = match mem::replace(&mut *state, State::Frozen) {
            State::Lent(block) | State::Held(block) => State::Held(block), // (3)
            State::Frozen => State::Frozen,
        };
    }
}

/// What a view may do.
#[derive(Clone, Copy, PartialEq)]
enum Access {
    Read,
    Write,
}

/// Describes `bytes` in `view`, which holds a reference to `owner` from then on.
///
/// # Errors
///
/// What is asked for and not to be had, such as writing to what is lent for reading; `view` then refers
/// to nothing.
///
/// # Safety
///
/// `view` may be written. `bytes` are valid as (1) says while `owner` lives, and for writing, by whoever
/// has the view, where `access` says so.
unsafe fn fill(
    owner: &Bound<'_, PyAny>,
    view: *mut ffi::Py_buffer,
    bytes: *mut [u8],
    access: Access,
    flags: c_int,
) -> PyResult<()> {
    let (start, len) = (bytes.cast::<std::ffi::c_void>(), bytes.len().cast_signed());
    let read_only = c_int::from(access == Access::Read);
    // SAFETY: the caller's contract; `owner` is alive, and we are attached, as it is bound.
    let code =
        unsafe { ffi::PyBuffer_FillInfo(view, owner.as_ptr(), start, len, read_only, flags) };
    if code == 0 { Ok(()) } else { Err(PyErr::fetch(owner.py())) }
}
