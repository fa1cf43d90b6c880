//! Vec under mimalloc: an entrant that lives in a child process with that allocator and takes its
//! turn in every round, asked over a pipe.

use std::cell::RefCell;
use std::collections::HashMap;
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

use crate::alloc::VARIABLE;
use crate::measure::{Subject, Work};
use crate::out::say;
use crate::rows;

/// The subcommand that answers.
pub const SUBCOMMAND: &str = "serve-vec";

/// The entry of the rows that the child has one of its own for.
const SERVED: &str = "vec";

/// A child process that runs the Vec entries under mimalloc.
#[derive(Debug)]
pub struct Mimalloc {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Mimalloc {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// When this program cannot be started again.
    pub fn start() -> io::Result<Rc<RefCell<Self>>> {
        let variable = VARIABLE.to_string_lossy();
        let mut child = Command::new(env::current_exe()?)
            .arg(SUBCOMMAND)
            .env(variable.as_ref(), "mimalloc")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the child process has no pipes"));
        };
        let answers = BufReader::new(answers);
        Ok(Rc::new(RefCell::new(Self { child, questions, answers })))
    }

    fn ask(&mut self, id: &str, iterations: u64) -> io::Result<f64> {
        writeln!(self.questions, "{id} {iterations}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        answer.trim().parse().map_err(io::Error::other)
    }
}

impl Drop for Mimalloc {
    fn drop(&mut self) {
        // It is only waiting for questions: nothing is lost, whatever happens to it now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The entrant under mimalloc that goes with a row's Vec entry.
///
/// # Panics
///
/// The entrant does, when it runs and the child process does not answer.
#[must_use]
pub fn beside(child: &Rc<RefCell<Mimalloc>>, id: &str, subjects: &[Subject]) -> Option<Subject> {
    let vec = subjects.iter().find(|subject| subject.key == SERVED)?;
    let (child, id) = (Rc::clone(child), id.to_owned());
    let work = Work::Elsewhere(Box::new(move |iterations| {
        child.borrow_mut().ask(&id, iterations).expect("the child answers as long as we ask")
    }));
    Some(Subject::new("vec-mimalloc", work).note(vec.note).operations(vec.operations))
}

/// Answers questions until there are no more: the child's side.
///
/// # Errors
///
/// When a question is not understood, or the pipe breaks.
pub fn serve() -> io::Result<()> {
    let mut entries = HashMap::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (id, iterations) = line.split_once(' ').ok_or_else(|| bad(&line))?;
        let iterations = iterations.parse().map_err(|_| bad(&line))?;
        if !entries.contains_key(id) {
            let subject = entry(id).ok_or_else(|| bad(&line))?;
            entries.insert(id.to_owned(), subject);
        }
        let ns = entries.get_mut(id).map_or(f64::NAN, |subject| subject.work.run(iterations));
        say(ns)?;
    }
    Ok(())
}

fn entry(id: &str) -> Option<Subject> {
    let row = rows::all().into_iter().find(|row| row.id == id)?;
    (row.build)().into_iter().find(|subject| subject.key == SERVED)
}

fn bad(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("not a row and a number: {line}"))
}
