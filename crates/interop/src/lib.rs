//! Aqueduct together with other crates, and what that copies.
//!
//! Here is nothing: the recipes are the tests, one file for each kind of neighbour. The book's page on the
//! subject shows parts of them, word for word, which a test sees to.

#![forbid(unsafe_code)]
