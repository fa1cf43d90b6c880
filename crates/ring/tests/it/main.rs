//! The ring and the arena from outside.
