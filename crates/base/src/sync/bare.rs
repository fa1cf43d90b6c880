//! Thread-local values where there are no threads to speak of: without std nothing is local to one.

/// In place of a thread-local value: as that of a thread which is ending, there is none to be had.
#[derive(Debug)]
pub struct Unkept<T>(#[expect(dead_code, reason = "names what would be kept")] fn() -> T);

/// No value is kept for this thread.
#[derive(Clone, Copy, Debug)]
pub struct NotKept;

impl<T> Unkept<T> {
    /// What is never made.
    #[must_use]
    pub const fn new(value: fn() -> T) -> Self {
        Self(value)
    }

    /// As std's, without ever calling `f`.
    ///
    /// # Errors
    ///
    /// Always.
    #[inline(always)]
    pub fn try_with<R>(&'static self, _f: impl FnOnce(&T) -> R) -> Result<R, NotKept> {
        Err(NotKept)
    }
}

/// As with std, but for the value, which no thread has: what uses it does without.
#[doc(hidden)]
#[macro_export]
macro_rules! thread_local_const {
    ($(#[$meta:meta])* $vis:vis static $name:ident: $ty:ty = $init:expr;) => {
        $(#[$meta])* $vis static $name: $crate::sync::Unkept<$ty> =
            $crate::sync::Unkept::new(|| $init);
    };
}
