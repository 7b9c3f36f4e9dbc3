//! What Ganeti tells a script, by variables of its environment or of a NIC's file: checked one by one.

use std::collections::BTreeMap;
use std::fmt;

use crate::text::Shown;

/// Variables with their values. One that is empty is as good as unset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The value of a variable, without white space around it.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The same of one that there must be.
    ///
    /// # Errors
    /// There is none.
    pub fn required(&self, name: &str) -> Result<&str, VariableError> {
        let missing = || VariableError { name: name.to_owned(), found: None, reason: "not set".to_owned() };
        self.optional(name).ok_or_else(missing)
    }

    /// A value that `read` understands.
    ///
    /// # Errors
    /// There is a value, and `read` says what is wrong with it.
    pub fn read<T, E: fmt::Display>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, VariableError> {
        let read_value = |value: &str| read(value).map_err(|reason| VariableError::new(name, value, reason));
        self.optional(name).map(read_value).transpose()
    }

    /// The same of one that there must be.
    ///
    /// # Errors
    /// There is none, or `read` says what is wrong with it.
    pub fn read_required<T, E: fmt::Display>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, VariableError> {
        self.required(name).and_then(|value| read(value).map_err(|reason| VariableError::new(name, value, reason)))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sets a variable that something else than the environment tells.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A variable is missing, or says what cannot be. Shown on one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct VariableError {
    /// Which.
    pub name: String,
    /// Its value, unescaped; None where there is none.
    pub found: Option<String>,
    /// What is wrong, or what is allowed.
    pub reason: String,
}

impl VariableError {
    /// A value that is wrong.
    pub fn new(name: &str, found: &str, reason: impl fmt::Display) -> Self {
        Self { name: name.to_owned(), found: Some(found.to_owned()), reason: reason.to_string() }
    }
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Some(found) => write!(f, "{}={}: {}", self.name, Shown(found), self.reason),
            None => write!(f, "{}: {}", self.name, self.reason),
        }
    }
}
