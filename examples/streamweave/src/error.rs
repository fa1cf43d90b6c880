//! What goes wrong: while a graph is built, in a node, in a run.

use crate::Message;
use std::{error, fmt, io, path::PathBuf};

/// A graph that cannot be: what is wrong with it, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// No node has this name.
    UnknownNode(String),
    /// The node, and the port that it does not have.
    UnknownPort(String, String),
    /// No operator has this name.
    UnknownOperator(String),
    /// The node, and the parameter that its operator does not know.
    UnknownParameter(String, String),
    /// The node, and what is wrong with a parameter.
    BadParameter(String, String),
    /// Two nodes of this name.
    DuplicateNode(String),
    /// An input that two edges lead to: node and port.
    InputTwice(String, String),
    /// An input that nothing leads to: node and port.
    InputUnused(String, String),
    /// An edge between ports of different types: from, its type, to, its type.
    Mismatch(String, String, String, String),
    /// Nodes in a circle: one of them.
    Cycle(String),
    /// A node that needs its items in an order, where they come in any.
    NoOrder(String),
    /// A graph without a source.
    NoSource,
    /// Text that describes no graph.
    Text(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownNode(name) => write!(f, "no node is called {name:?}"),
            Self::UnknownPort(node, port) => write!(f, "node {node:?} has no port {port:?}"),
            Self::UnknownOperator(name) => write!(f, "no operator is called {name:?}"),
            Self::UnknownParameter(node, name) => {
                write!(f, "node {node:?}: its operator has no parameter {name:?}")
            }
            Self::BadParameter(node, why) => write!(f, "node {node:?}: {why}"),
            Self::DuplicateNode(name) => write!(f, "two nodes are called {name:?}"),
            Self::InputTwice(node, port) => write!(f, "two edges lead to {node:?}, port {port:?}"),
            Self::InputUnused(node, port) => write!(f, "no edge leads to {node:?}, port {port:?}"),
            Self::Mismatch(from, gives, to, takes) => {
                write!(f, "{from:?} gives {gives} and {to:?} takes {takes}")
            }
            Self::Cycle(name) => write!(f, "node {name:?} is part of a circle"),
            Self::NoOrder(name) => {
                write!(f, "node {name:?} needs an order: behind a merge or by key there is none")
            }
            Self::NoSource => f.write_str("the graph has no source"),
            Self::Text(why) => f.write_str(why),
        }
    }
}

impl error::Error for BuildError {}

/// Why a node refuses an item, and the item, where it is known.
pub struct Failure(Box<Refused>);

struct Refused {
    why: Box<dyn error::Error + Send + Sync>,
    item: Option<Message>,
    lost: bool,
    unwritten: bool,
}

impl Failure {
    /// A failure for a reason.
    pub fn new(why: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self(Box::new(Refused { why: why.into(), item: None, lost: false, unwritten: false }))
    }

    /// Of a source whose item is gone: asked again, it would give the one behind it.
    #[must_use]
    pub fn lost(mut self) -> Self {
        self.0.lost = true;
        self
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.0.lost
    }

    /// Of a sink that cannot write what it had taken: no item that a policy could skip, so the run ends where it
    /// would be.
    #[must_use]
    pub fn unwritten(mut self) -> Self {
        self.0.unwritten = true;
        self
    }

    pub(crate) fn is_unwritten(&self) -> bool {
        self.0.unwritten
    }

    /// With the item that was refused, unless it has one.
    #[must_use]
    pub fn of(mut self, item: Option<Message>) -> Self {
        self.0.item = self.0.item.or(item);
        self
    }

    /// The item that was refused: shared, not copied. A node that stops the run is not made to keep it.
    #[must_use]
    pub fn item(&self) -> Option<&Message> {
        self.0.item.as_ref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.why.fmt(f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("why", &self.0.why).field("item", &self.0.item).finish()
    }
}

impl<E: error::Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// Why a run ended before its time, or did not begin.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The graph cannot be.
    Build(BuildError),
    /// A node failed, and its policy is to stop.
    Node {
        /// Its name.
        node: String,
        /// What it said.
        failure: Failure,
    },
    /// This does not follow on what was done before.
    State {
        /// What was asked for.
        asked: &'static str,
        /// What the executor is.
        state: &'static str,
    },
    /// Stopped at once: what was under way is gone.
    Aborted,
    /// A thread of the run panicked.
    Panicked,
    /// A file or address of the command line.
    Io(PathBuf, io::Error),
    /// The processes of a run cannot be what they are said to be.
    Cluster(String),
    /// Another process, by index and address, and what is wrong with it.
    Peer {
        /// Its index.
        index: usize,
        /// Its address.
        address: String,
        /// What is wrong.
        why: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => error.fmt(f),
            Self::Node { node, failure } => write!(f, "node {node:?}: {failure}"),
            Self::State { asked, state } => write!(f, "cannot {asked}: the executor is {state}"),
            Self::Aborted => f.write_str("stopped at once"),
            Self::Panicked => f.write_str("a thread of the run panicked"),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Cluster(why) => f.write_str(why),
            Self::Peer { index, address, why } => write!(f, "peer {index} at {address}: {why}"),
        }
    }
}

impl error::Error for Error {}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}
