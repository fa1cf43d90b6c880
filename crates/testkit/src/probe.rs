//! Asks whether a concrete type is `Send` or `Sync`, as a value that a table can hold.

/// Whether a concrete type is `Send`: `true` or `false`, never an error.
///
/// ```
/// assert!(aqueduct_testkit::is_send!(Vec<u8>));
/// assert!(!aqueduct_testkit::is_send!(std::rc::Rc<u8>));
/// ```
#[macro_export]
macro_rules! is_send {
    ($t:ty) => {
        $crate::has_marker!($t, ::core::marker::Send)
    };
}

/// Whether a concrete type is `Sync`: `true` or `false`, never an error.
///
/// ```
/// assert!(aqueduct_testkit::is_sync!(Vec<u8>));
/// assert!(!aqueduct_testkit::is_sync!(std::cell::Cell<u8>));
/// ```
#[macro_export]
macro_rules! is_sync {
    ($t:ty) => {
        $crate::has_marker!($t, ::core::marker::Sync)
    };
}

/// An inherent constant, there only for types with the marker, hides the trait's constant of the same name.
#[doc(hidden)]
#[macro_export]
macro_rules! has_marker {
    ($t:ty, $marker:path) => {{
        struct Probe<T: ?Sized>(::core::marker::PhantomData<T>);
        #[allow(dead_code, reason = "one of the two constants is always hidden")]
        trait Otherwise {
            const YES: bool = false;
        }
        impl<T: ?Sized> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "one of the two constants is always hidden")]
        impl<T: ?Sized + $marker> Probe<T> {
            const YES: bool = true;
        }
        <Probe<$t>>::YES
    }};
}
