//! Negative twins of the loom models: the same code with one ordering weakened.
//!
//! A model that passes proves little until its twin fails. An ordering that a model vouches for is
//! written `twin::order("name", strong, weak)`; a loom run with `AQUEDUCT_TWIN=name` gets the weak
//! one and must fail. Outside models the call is the strong ordering and nothing else. Shuttle's storms
//! have twins too: mistakes other than a weak ordering. And `cargo xtask sanitize tsan` has ThreadSanitizer
//! notice some of them in programs that run.

use super::atomic::Ordering;

/// The `strong` ordering, but in a model's run that asks for the twin `name`.
#[cfg(not(any(aqueduct_loom, aqueduct_shuttle, aqueduct_tsan)))]
#[doc(hidden)]
#[inline(always)]
#[must_use]
pub const fn order(_name: &str, strong: Ordering, _weak: Ordering) -> Ordering {
    strong
}

/// The `strong` ordering, but in a model's run that asks for the twin `name`.
#[cfg(any(aqueduct_loom, aqueduct_shuttle, aqueduct_tsan))]
#[doc(hidden)]
#[must_use]
pub fn order(name: &str, strong: Ordering, weak: Ordering) -> Ordering {
    if is(name) { weak } else { strong }
}

/// Whether this run asks for the twin `name`: for mistakes other than a weak ordering.
#[cfg(not(any(aqueduct_loom, aqueduct_shuttle, aqueduct_tsan)))]
#[doc(hidden)]
#[inline(always)]
#[must_use]
pub const fn is(_name: &str) -> bool {
    false
}

/// Whether this run asks for the twin `name`: for mistakes other than a weak ordering.
#[cfg(any(aqueduct_loom, aqueduct_shuttle, aqueduct_tsan))]
#[doc(hidden)]
#[must_use]
pub fn is(name: &str) -> bool {
    use alloc::string::String;
    static ASKED: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    ASKED.get_or_init(|| std::env::var("AQUEDUCT_TWIN").unwrap_or_default()) == name
}
