//! Bytes that nobody writes any more.

use crate::block::get;
use aqueduct::Pool;
use pyo3::{
    buffer::PyUntypedBuffer,
    exceptions::{PyIndexError, PyTypeError, PyValueError},
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyBytes, PyMemoryView, PySlice},
};

/// Bytes of a block that others may share; `memoryview` and numpy look at them where they are.
///
/// Never inline, so that its address, and that of its parts, is the block's.
#[pyclass(frozen, module = "aqueduct")]
pub(crate) struct Slice(pub(crate) aqueduct::Slice);

/// What stands between the brackets.
#[derive(FromPyObject)]
enum Place<'py> {
    Index(isize),
    Range(Bound<'py, PySlice>),
}

#[pymethods]
impl Slice {
    /// A copy of bytes, in a block of the process's pool.
    #[new]
    fn new(data: &[u8]) -> PyResult<Self> {
        let mut block = get(Pool::global(), data.len())?;
        block.extend_from_slice(data);
        Ok(Self(block.freeze()))
    }

    /// The bytes of a Python object, which is kept: `bytes`, a slice, or a contiguous memoryview of either.
    ///
    /// Of nothing else, be its buffer marked read-only: that says what one may do with it oneself, and
    /// somebody else may go on writing, as behind `memoryview(bytearray()).toreadonly()`.
    #[staticmethod]
    fn from_buffer(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(slice) = object.cast::<Self>() {
            return Ok(Self(slice.get().0.clone()));
        }
        if let Ok(bytes) = object.cast::<PyBytes>() {
            // Dropped on a thread that is not Python's, it waits for the next one that is.
            let owner = PyBackedBytes::from(bytes.clone());
            return Ok(Self(aqueduct::Slice::from_owner(owner)));
        }
        if !object.is_instance_of::<PyMemoryView>() {
            let name = object.get_type().name()?;
            let said = format!("somebody may write to this {name}: make it bytes, or fill a Block");
            return Err(PyTypeError::new_err(said));
        }
        let view = PyUntypedBuffer::get(object)?;
        if !view.is_c_contiguous() {
            return Err(PyValueError::new_err("the view has gaps, or another order than C's"));
        }
        let whole = Self::from_buffer(&object.getattr("obj")?)?.0;
        if view.len_bytes() == 0 {
            return Ok(Self(aqueduct::Slice::new())); // nothing lies nowhere
        }
        let at = view.buf_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        let range = at..at.wrapping_add(view.len_bytes());
        let range = aqueduct::RangeError::check(range, whole.len());
        let range = range.map_err(|e| PyValueError::new_err(e.to_string()))?;
        Ok(Self(whole.slice_shared(range)))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// A byte, or a part of the same block: one more handle, and no copy.
    fn __getitem__<'py>(&self, py: Python<'py>, place: Place<'py>) -> PyResult<Bound<'py, PyAny>> {
        let len = self.0.len();
        match place {
            Place::Index(index) => {
                let from_end = index.checked_add_unsigned(len).filter(|_| index < 0);
                let at = usize::try_from(from_end.unwrap_or(index)).ok();
                let byte = at.and_then(|at| self.0.get(at)).ok_or_else(|| {
                    PyIndexError::new_err(format!("no byte {index} in a slice of {len}"))
                })?;
                Ok(byte.into_pyobject(py)?.into_any())
            }
            Place::Range(range) => {
                let range = range.indices(len.cast_signed())?;
                if range.step != 1 {
                    let said = format!("a slice's bytes are neighbours: no step of {}", range.step);
                    return Err(PyValueError::new_err(said));
                }
                // Python keeps both within the length; its end may lie before its start.
                let start = range.start.cast_unsigned();
                let part = self.0.slice_shared(start..start + range.slicelength);
                Ok(Bound::new(py, Self(part))?.into_any())
            }
        }
    }

    /// Where the first byte is.
    #[getter]
    fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }

    /// Itself, where its first byte is aligned to so many bytes; an error where it is not.
    fn aligned(slf: Bound<'_, Self>, to: usize) -> PyResult<Bound<'_, Self>> {
        if !to.is_power_of_two() {
            return Err(PyValueError::new_err(format!("{to} is no alignment: no power of two")));
        }
        let address = slf.get().address();
        if address.is_multiple_of(to) {
            return Ok(slf);
        }
        let said = format!("at {address:#x}, {} bytes behind a multiple of {to}", address % to);
        Err(PyValueError::new_err(said))
    }

    fn __repr__(&self) -> String {
        format!("<aqueduct.Slice of {} bytes at {:#x}>", self.0.len(), self.address())
    }
}
