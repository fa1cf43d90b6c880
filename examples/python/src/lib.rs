//! Aqueduct's memory in Python: pooled blocks that Python fills, and slices of them that it looks at in
//! place, by anything that speaks the buffer protocol.
#![deny(unsafe_code)]

mod block;
#[expect(unsafe_code, reason = "the buffer protocol is pointers in C's structure")]
mod buffer;
mod slice;

use pyo3::prelude::*;

#[pymodule(name = "aqueduct")]
mod module {
    #[pymodule_export]
    use super::{
        block::{Block, Pool},
        copied,
        slice::Slice,
    };
}

/// Bytes that Aqueduct has copied on this thread so far.
#[pyfunction]
fn copied() -> u64 {
    aqueduct::meter::thread().bytes
}
