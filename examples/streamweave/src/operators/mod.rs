//! The operators that a description can name, and their parameters.

mod ends;
mod lists;
mod routers;
mod simple;
mod tcp;

use crate::Make;

/// All of them by name.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Make)> {
    [ends::ALL, tcp::ALL, simple::ALL, lists::ALL, routers::ALL].into_iter().flatten().copied()
}
