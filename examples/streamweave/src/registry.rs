//! [`Registry`]: operators by name, and graphs described in TOML.

use crate::{BuildError, Builder, Graph, Node, Place, Policy, operators, parameters::Parameters};
use std::{collections::BTreeMap, fmt, panic::resume_unwind, thread};
use toml::{Table, Value};

/// What reading a description needs, of whatever depth: the parser calls itself up to 80 levels deep, and
/// takes half of this where nothing is optimised.
const STACK: usize = 1 << 20;

/// Makes a node of the parameters that it finds.
pub type Make = fn(&mut Parameters) -> Result<Node, BuildError>;

/// The operators that a description can name.
#[derive(Clone)]
pub struct Registry(BTreeMap<&'static str, Make>);

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Default for Registry {
    /// All that come with this crate.
    fn default() -> Self {
        Self(operators::all().collect())
    }
}

impl Registry {
    /// Adds an operator, or another one of this name.
    pub fn register(&mut self, name: &'static str, make: Make) {
        self.0.insert(name, make);
    }

    /// The graph that a text describes.
    ///
    /// ```
    /// let graph = streamweave::Registry::default().graph(
    ///     r#"
    ///     edges = ["numbers -> even", "even -> sink"]
    ///     [[node]]
    ///     name = "numbers"
    ///     operator = "generate"
    ///     count = 10
    ///     [[node]]
    ///     name = "even"
    ///     operator = "filter"
    ///     multiple_of = 2
    ///     [[node]]
    ///     name = "sink"
    ///     operator = "count"
    ///     "#,
    /// )?;
    /// assert_eq!(graph.names().collect::<Vec<_>>(), ["numbers", "even", "sink"]);
    /// # Ok::<(), streamweave::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong with it, by name.
    pub fn graph(&self, text: &str) -> Result<Graph, BuildError> {
        thread::scope(|scope| {
            let reader = thread::Builder::new().stack_size(STACK);
            let read = reader.spawn_scoped(scope, || self.read(text)).map_err(|why| wrong(&why))?;
            read.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    fn read(&self, text: &str) -> Result<Graph, BuildError> {
        let table: Table = text.parse().map_err(|why: toml::de::Error| wrong(&why))?;
        let mut whole = Parameters::new("graph", table);
        let mut builder = Builder::default();
        let (nodes, edges) = (whole.list("node")?, whole.list("edges")?);
        let bound = whole.number("bound")?.unwrap_or(Graph::BOUND as u64);
        let bound = usize::try_from(bound).ok().filter(|bound| (1..=1 << 24).contains(bound));
        let bound = bound.ok_or_else(|| whole.bad("bound is a number from 1 to 16777216"))?;
        whole.done()?;
        for node in nodes {
            let Value::Table(table) = node else { return Err(wrong(&"a node is a table")) };
            builder.add(self.node(table)?)?;
        }
        for edge in edges {
            let ends = edge.as_str().and_then(|edge| edge.split_once("->"));
            let Some((from, to)) = ends else {
                return Err(wrong(&format!("edge {edge}: expected \"from -> to\"")));
            };
            builder.connect(from.trim(), to.trim())?;
        }
        Ok(builder.build()?.with_bound(bound))
    }

    fn node(&self, table: Table) -> Result<Node, BuildError> {
        let label = label(&table);
        let mut own = Parameters::new("a node", table);
        own.node = own.needed_text("name")?;
        if own.node.is_empty() || own.node.contains([':', '>']) {
            return Err(own.bad("a name is not empty and has no \":\" and no \">\""));
        }
        let operator = own.needed_text("operator")?;
        let Some(make) = self.0.get(operator.as_str()) else {
            return Err(BuildError::UnknownOperator(operator));
        };
        let mut node = make(&mut own)?;
        node.label = label;
        node.thread |= own.flag("thread")?;
        if let Some(policy) = own.text("policy")? {
            node.policy = parse_policy(&policy)
                .ok_or_else(|| own.bad("policy is \"stop\", \"skip\" or \"retry N\""))?;
        }
        if let Some(worker) = own.number("worker")? {
            let Place::On(place) = &mut node.place else {
                return Err(own.bad("worker is for operators that run on one"));
            };
            *place = usize::try_from(worker).unwrap_or(usize::MAX);
        }
        own.done()?;
        Ok(node)
    }
}

fn wrong(why: &impl fmt::Display) -> BuildError {
    BuildError::Text(why.to_string().trim_end().to_owned())
}

fn parse_policy(text: &str) -> Option<Policy> {
    match text.split_once(' ') {
        None if text == "stop" => Some(Policy::Stop),
        None if text == "skip" => Some(Policy::Skip),
        Some(("retry", times)) => times.parse().ok().map(Policy::Retry),
        _ => None,
    }
}

/// Operator and parameters in words.
fn label(table: &Table) -> String {
    let mut text = table.get("operator").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, value) in table.iter().filter(|(name, _)| *name != "operator" && *name != "name") {
        text += &format!(" {name}={value}");
    }
    text
}
