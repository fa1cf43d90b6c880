//! [`Parameters`]: what a description says of a node, asked for by name.

use crate::BuildError;
use toml::{Table, Value};

/// A node's parameters, which its operator asks for. What nobody asked for is an error.
#[derive(Debug)]
pub struct Parameters {
    pub(crate) node: String,
    table: Table,
    used: Vec<String>,
}

impl Parameters {
    pub(crate) fn new(node: &str, table: Table) -> Self {
        Self { node: node.to_owned(), table, used: Vec::new() }
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.node
    }

    /// An error about them.
    #[must_use]
    pub fn bad(&self, why: &str) -> BuildError {
        BuildError::BadParameter(self.node.clone(), why.to_owned())
    }

    /// A text.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, BuildError> {
        self.typed(name, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// A text that must be there.
    ///
    /// # Errors
    ///
    /// When it is missing or something else.
    pub fn needed_text(&mut self, name: &str) -> Result<String, BuildError> {
        self.text(name)?.ok_or_else(|| self.bad(&format!("{name:?} is missing")))
    }

    /// A number from 0 on.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn number(&mut self, name: &str) -> Result<Option<u64>, BuildError> {
        self.typed(name, "a number from 0 on", |value| u64::try_from(value.as_integer()?).ok())
    }

    /// A number from 1 on that must be there.
    ///
    /// # Errors
    ///
    /// When it is missing, 0 or something else.
    pub fn count(&mut self, name: &str) -> Result<usize, BuildError> {
        let number = self.number(name)?.and_then(|number| usize::try_from(number).ok());
        let counts = number.filter(|&number| number > 0);
        counts.ok_or_else(|| self.bad(&format!("{name:?} must be a number from 1 on")))
    }

    /// Yes or no, and no where it is missing.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn flag(&mut self, name: &str) -> Result<bool, BuildError> {
        Ok(self.typed(name, "true or false", Value::as_bool)?.unwrap_or(false))
    }

    /// Fails if there are both.
    pub(crate) fn either(&self, one: &str, other: &str) -> Result<(), BuildError> {
        let both = [one, other].iter().all(|name| self.table.contains_key(*name));
        if both { Err(self.bad(&format!("either {one:?} or {other:?}"))) } else { Ok(()) }
    }

    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<Value>, BuildError> {
        Ok(self.typed(name, "a list", |value| value.as_array().cloned())?.unwrap_or_default())
    }

    fn typed<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, BuildError> {
        self.used.push(name.to_owned());
        let Some(value) = self.table.get(name) else { return Ok(None) };
        let read = read(value).ok_or_else(|| self.bad(&format!("{name:?} must be {kind}")));
        read.map(Some)
    }

    pub(crate) fn done(self) -> Result<(), BuildError> {
        match self.table.keys().find(|name| !self.used.contains(name)) {
            Some(name) => Err(BuildError::UnknownParameter(self.node, name.clone())),
            None => Ok(()),
        }
    }
}
