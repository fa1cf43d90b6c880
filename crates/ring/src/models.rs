//! Loom models of the ring and the arena: see the list in docs/src/soundness.md.
