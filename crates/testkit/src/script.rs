//! Bytes read as a script of steps, so that one interpreter serves the state machines, the fuzzer
//! and the replay of the fuzzer's corpus.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// One step: which operation, on which handles, with which sizes. An interpreter takes each field
/// modulo what it has, so every byte string is a valid script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Selects the operation.
    pub op: u8,
    /// Selects the handle it works on.
    pub who: u8,
    /// Selects a second handle, a worker, or a kind.
    pub other: u8,
    /// A position or size.
    pub x: u16,
    /// Another one.
    pub y: u16,
}

impl Step {
    /// How many bytes a step takes in a script.
    pub const BYTES: usize = 7;

    /// The step that these bytes say.
    #[must_use]
    pub fn decode(b: [u8; Self::BYTES]) -> Step {
        let [op, who, other, x0, x1, y0, y1] = b;
        let (x, y) = (u16::from_le_bytes([x0, x1]), u16::from_le_bytes([y0, y1]));
        Step { op, who, other, x, y }
    }

    /// The bytes that say this step.
    #[must_use]
    pub fn encode(self) -> [u8; Self::BYTES] {
        let ([x0, x1], [y0, y1]) = (self.x.to_le_bytes(), self.y.to_le_bytes());
        [self.op, self.who, self.other, x0, x1, y0, y1]
    }

    /// `x` as a size: mostly below 80, around the inline length; one in sixteen up to some pages.
    #[must_use]
    pub fn size(self) -> usize {
        let x = usize::from(self.x);
        if x & 15 == 15 { x % 9_001 } else { x % 80 }
    }

    /// `y` scaled into `0..=len`.
    #[must_use]
    pub fn place(self, len: usize) -> usize {
        usize::from(self.y) % (len + 1)
    }
}

/// Runs a script that writes down what it does. If it panics, what it had done is said with it.
///
/// # Panics
/// As the script does.
pub fn traced<R>(script: impl FnOnce(&mut String) -> R) -> R {
    let mut trace = String::new();
    let run = catch_unwind(AssertUnwindSafe(|| script(&mut trace)));
    run.unwrap_or_else(|why| {
        let said = said(&*why);
        panic!("{said}, after{trace}");
    })
}

fn said(why: &(dyn Any + Send)) -> &str {
    let said = why.downcast_ref::<String>().map(String::as_str);
    said.or(why.downcast_ref::<&str>().copied()).unwrap_or("a panic")
}

/// The script in `bytes`: at most `most` steps; a cut step at the end is dropped.
#[must_use]
pub fn steps(bytes: &[u8], most: usize) -> Vec<Step> {
    let (chunks, _) = bytes.as_chunks::<{ Step::BYTES }>();
    chunks.iter().take(most).map(|b| Step::decode(*b)).collect()
}

/// Gives every file of a corpus folder to `target` and returns how many there were. On a panic the
/// file's name is on standard error.
///
/// # Panics
/// If the folder or a file cannot be read, or if `target` panics.
pub fn replay(folder: impl AsRef<Path>, mut target: impl FnMut(&[u8])) -> usize {
    let folder = folder.as_ref();
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("corpus folder {}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|e| e.expect("a folder entry").path()).collect();
    files.sort();
    for file in &files {
        let bytes = std::fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let name = Named(file);
        target(&bytes);
        std::mem::forget(name);
    }
    files.len()
}

/// Says which file was being replayed, if it is dropped, that is on a panic.
struct Named<'a>(&'a Path);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        eprintln!("the corpus file {} failed", self.0.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_survives_its_bytes() {
        let step = Step { op: 1, who: 2, other: 3, x: 0x1234, y: 0xfedc };
        assert_eq!(Step::decode(step.encode()), step);
        assert_eq!(steps(&[0; 20], 9).len(), 2);
        assert_eq!(steps(&[0; 70], 9).len(), 9);
    }

    #[test]
    fn a_panic_says_what_was_done_before() {
        let script = |trace: &mut String| -> () {
            trace.push_str(" a b");
            panic!("c is wrong");
        };
        let why = catch_unwind(|| traced(script)).expect_err("it panics");
        assert_eq!(said(&*why), "c is wrong, after a b");
        assert_eq!(traced(|trace| trace.len()), 0);
    }
}
