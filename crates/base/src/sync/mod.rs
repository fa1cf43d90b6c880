//! Atomics, cells, locks and threads, from std, `parking_lot`, loom or shuttle.
//!
//! Library crates take these names from here and from nowhere else, so that a model checker can
//! stand in for the machine: `--cfg aqueduct_loom` puts loom behind them, `--cfg aqueduct_shuttle`
//! shuttle. Without the feature `std` there are neither locks nor threads, and a thread-local value is
//! one that is never kept.

#[cfg(not(feature = "std"))]
mod bare;
#[cfg(feature = "std")]
mod block;
#[cfg(feature = "std")]
mod lock;
pub mod twin;

#[cfg(not(feature = "std"))]
pub use bare::{NotKept, Unkept};
#[cfg(feature = "std")]
pub use block::block_on;
#[cfg(feature = "std")]
pub use lock::{Condvar, Mutex, MutexGuard};

#[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
pub use {alloc::sync::Arc, core::sync::atomic};

#[cfg(all(feature = "std", not(any(aqueduct_loom, aqueduct_shuttle))))]
pub use std::thread;

#[cfg(aqueduct_loom)]
pub use loom::{sync::Arc, sync::atomic, thread};

#[cfg(all(aqueduct_shuttle, not(aqueduct_loom)))]
pub use shuttle::{sync::Arc, sync::atomic, thread};

/// Interior mutability that a model checker can watch.
pub mod cell {
    #[cfg(aqueduct_loom)]
    pub use loom::cell::UnsafeCell;

    /// An `UnsafeCell` whose contents are reached through closures, as loom's are.
    #[cfg(not(aqueduct_loom))]
    #[derive(Debug, Default)]
    #[repr(transparent)]
    pub struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

    #[cfg(not(aqueduct_loom))]
    impl<T> UnsafeCell<T> {
        /// Puts `value` in a cell.
        #[must_use]
        pub const fn new(value: T) -> Self {
            Self(core::cell::UnsafeCell::new(value))
        }

        /// Runs `f` on a pointer that it may read from.
        #[inline(always)]
        pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        /// Runs `f` on a pointer that it may read from and write to.
        #[inline(always)]
        pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

/// Declares a function that is `const`, but under a model checker, whose atomics and locks cannot
/// be built at compile time.
#[doc(hidden)]
#[macro_export]
macro_rules! const_unless_model {
    ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => {
        #[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
        $(#[$meta])* $vis const fn $($rest)*
        #[cfg(any(aqueduct_loom, aqueduct_shuttle))]
        $(#[$meta])* $vis fn $($rest)*
    };
}

/// Declares a thread-local value whose initialiser is `const` outside models: no lazy set-up, and
/// for a type without `Drop` no destructor, so that it can be read while other thread-local values
/// are being destroyed.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! thread_local_const {
    ($(#[$meta:meta])* $vis:vis static $name:ident: $ty:ty = $init:expr;) => {
        #[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
        $crate::sync::std_thread_local! { $(#[$meta])* $vis static $name: $ty = const { $init }; }
        #[cfg(any(aqueduct_loom, aqueduct_shuttle))]
        $crate::sync::model_thread_local! { $(#[$meta])* $vis static $name: $ty = $init; }
    };
}

#[cfg(feature = "std")]
#[doc(hidden)]
pub use std::thread_local as std_thread_local;

#[cfg(aqueduct_loom)]
#[doc(hidden)]
pub use loom::thread_local as model_thread_local;

#[cfg(all(aqueduct_shuttle, not(aqueduct_loom)))]
#[doc(hidden)]
pub use shuttle::thread_local as model_thread_local;
