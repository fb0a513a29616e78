//! Reads the keys of one table and reports those that its kind of table does not have.

use super::{
    bindings::Visitor,
    inserts,
    keys::{self, KeySpec, Kind, TableSpec},
    problems::{Owner, Problems},
    tree::{Key, Node, Table, Value},
    values::{FieldReader, FieldValue, Scope},
};
use crate::{
    diagnostics::suggest::nearest,
    session::{Insert, source_text::KeySpans},
};
use std::{mem, ops::Range, ptr};

/// A table that is being read.
pub(super) struct TableReader<'t, 'a> {
    spec: &'static TableSpec,
    /// The table, for messages: `track "piano"`.
    subject: String,
    table: &'t Table,
    pub scope: Scope<'a>,
    pub problems: &'a mut Problems,
}

impl<'t, 'a> TableReader<'t, 'a> {
    pub(super) fn new(
        spec: &'static TableSpec,
        subject: impl Into<String>,
        table: &'t Table,
        scope: Scope<'a>,
        problems: &'a mut Problems,
    ) -> Self {
        Self {
            spec,
            subject: subject.into(),
            table,
            scope,
            problems,
        }
    }

    /// Starts to read one of the tables under a key, such as a clip of a track.
    pub(super) fn inner<'i>(
        &'i mut self,
        key: &'static str,
        name: &Key,
        table: &'i Table,
    ) -> TableReader<'i, 'i> {
        let spec = self.inner_spec(key).unwrap_or(self.spec);
        let subject = format!("{}, {key} {:?}", self.subject, name.name);
        TableReader::new(spec, subject, table, self.scope, self.problems)
    }

    fn inner_spec(&self, key: &str) -> Option<&'static TableSpec> {
        match self.spec.key(key)?.kind {
            Kind::Table(spec) | Kind::Tables(spec) => Some(spec),
            _ => None,
        }
    }

    /// Returns the description of a key that the table may have.
    fn key_spec(&mut self, key: &'static str) -> Option<&'static KeySpec> {
        #[cfg(test)]
        self.problems
            .asked
            .entry(self.spec.name)
            .or_default()
            .insert(key);
        self.spec.key(key)
    }

    /// Returns the value of a key with the description of the key.
    fn node(&mut self, key: &'static str) -> Option<(&'static KeySpec, &'t Node)> {
        Some((self.key_spec(key)?, self.table.get(key)?))
    }

    fn field_reader(&mut self, key: &'static KeySpec) -> FieldReader<'_> {
        FieldReader {
            subject: &self.subject,
            key,
            scope: self.scope,
            problems: self.problems,
        }
    }

    /// Reads the value of a key; `None` where it is absent or wrong.
    pub(super) fn get<T: FieldValue>(&mut self, key: &'static str) -> Option<T> {
        let (key, node) = self.node(key)?;
        T::read(node, &mut self.field_reader(key))
    }

    /// Reads one text or a list of texts, each with its place.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<(&'t str, Range<usize>)> {
        self.node(key)
            .map_or_else(Vec::new, |(key, node)| self.field_reader(key).texts(node))
    }

    pub(super) fn table(&mut self, key: &'static str) -> Option<&'t Table> {
        let (spec, node) = self.node(key)?;
        if let Value::Table(table) = &node.value {
            return Some(table);
        }
        let message = match (&spec.kind, &node.value) {
            // `[[track]]`, which lists have in other formats.
            (Kind::Tables(_), Value::List(list)) => {
                let named = list.iter().find_map(|node| match &node.value {
                    Value::Table(table) => table.text("name"),
                    _ => None,
                });
                format!(
                    "{key} is a list, but each {key} is a table with a name: write [{key}.{}]",
                    named.map_or_else(|| "NAME".to_owned(), table_name)
                )
            }
            (Kind::Tables(_), _) if ptr::eq(self.spec, &keys::SESSION) => format!(
                "{key} is {}, but each {key} is a table with a name: write [{key}.NAME]",
                node.value.kind()
            ),
            _ => format!(
                "{key} is {}, but should be {}",
                node.value.kind(),
                spec.kind.expected()
            ),
        };
        self.report(node.span.clone(), message);
        None
    }

    /// Returns the tables inside a table, with their names: `[track.drums]`, `[track.bass]`.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<(&'t Key, &'t Table)> {
        let mut found = Vec::new();
        let is_root = ptr::eq(self.spec, &keys::SESSION);
        for (name, node) in self.table(key).into_iter().flat_map(|table| &table.entries) {
            match &node.value {
                Value::Table(_) if name.name.is_empty() => {
                    self.report(name.span.clone(), format!("a {key} has no name"));
                }
                Value::Table(table) => found.push((name, table)),
                other => {
                    let form = if is_root {
                        format!(": [{key}.{}]", name.name)
                    } else {
                        String::new()
                    };
                    let message = format!(
                        "{key} {:?} is {}, but should be a table{form}",
                        name.name,
                        other.kind()
                    );
                    self.report(node.span.clone(), message);
                }
            }
        }
        found
    }

    /// Reports a problem of the table.
    pub(super) fn report(&mut self, span: Range<usize>, message: impl AsRef<str>) {
        self.problems
            .report(span, format!("{}: {}", self.subject, message.as_ref()));
    }

    /// Reports the keys that this kind of table does not have.
    pub(super) fn finish(&mut self) {
        for (key, _) in &self.table.entries {
            if self.spec.key(&key.name).is_some() {
                continue;
            }
            let hint = match self.spec.synonym(&key.name) {
                Some(meant) => format!("; did you mean {:?}?", meant.name),
                None => self
                    .problems
                    .hint(&key.name, self.spec.keys().map(|key| key.name)),
            };
            self.report(
                key.span.clone(),
                format!("unknown key {:?}{hint}", key.name),
            );
        }
    }

    /// Reports whether the table has an unknown key that probably means this one, which [`finish`](Self::finish) reports.
    pub(super) fn has_misspelt(&self, key: &'static str) -> bool {
        self.table.entries.iter().any(|(own, _)| {
            let name = own.name.as_str();
            self.spec.key(name).is_none()
                && (self
                    .spec
                    .synonym(name)
                    .is_some_and(|meant| meant.name == key)
                    || nearest(name, self.spec.keys().map(|key| key.name)) == Some(key))
        })
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// Reports whether a key is absent, or has an empty table or list.
    pub(super) fn lacks(&self, key: &str) -> bool {
        self.table.get(key).is_none_or(|node| match &node.value {
            Value::Table(table) => table.entries.is_empty(),
            Value::List(list) => list.is_empty(),
            _ => false,
        })
    }

    pub(super) fn span(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or(0..0, |node| node.span.clone())
    }

    /// Remembers the place of the table for problems of the whole session, under the name that those give it.
    pub(super) fn own(&mut self, subject: &str, whole: &Range<usize>) {
        let place = |key: &&'static str| self.table.get(key).map(|node| (*key, node.span.clone()));
        let keys = ["gain", "pan", "limit"].iter().filter_map(place).collect();
        self.problems.own(
            subject,
            Owner {
                span: whole.clone(),
                keys,
            },
        );
    }

    /// Returns the place of the table and of its keys.
    pub(super) fn key_spans(&self, whole: &Range<usize>) -> KeySpans {
        let place =
            |(key, node): &(Key, Node)| Some((self.spec.key(&key.name)?.name, node.span.clone()));
        self.problems
            .key_spans(whole, self.table.entries.iter().filter_map(place).collect())
    }

    /// Visits the table under a key as part of this one; false where there is none.
    fn visit_inner(&mut self, key: &'static str, bind: impl FnOnce(&mut Self)) -> bool {
        let (Some(table), Some(spec)) = (self.table(key), self.inner_spec(key)) else {
            return false;
        };
        let subject = format!("{}, {key}", self.subject);
        let outer = (
            mem::replace(&mut self.spec, spec),
            mem::replace(&mut self.subject, subject),
            mem::replace(&mut self.table, table),
        );
        bind(self);
        self.finish();
        (self.spec, self.subject, self.table) = outer;
        true
    }
}

/// Returns a name as the header of a table has it: in quotes where it is no plain word.
fn table_name(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

impl Visitor for TableReader<'_, '_> {
    fn field<T: FieldValue>(&mut self, key: &'static str, value: &mut T) {
        if let Some(read) = self.get(key) {
            *value = read;
        }
    }

    fn insert_curves(&mut self, key: &'static str, inserts: &mut [Insert]) {
        let Some(spec) = self.key_spec(key) else {
            return;
        };
        for (name, node) in &self.table.entries {
            let Some(within) = name.name.strip_prefix(key) else {
                continue;
            };
            // Quoted as one key, `"insert.comp.threshold"`, or as tables, `insert.comp.threshold`.
            let path: Vec<&str> = within.split('.').skip(1).collect();
            if within.is_empty() || within.starts_with('.') {
                let field = &mut self.field_reader(spec);
                inserts::read_curves(inserts, &path, name, node, field);
            }
        }
    }

    fn section(&mut self, key: &'static str, bind: impl FnOnce(&mut Self)) {
        self.visit_inner(key, bind);
    }

    fn optional_section<T: Default>(
        &mut self,
        key: &'static str,
        value: &mut Option<T>,
        bind: impl FnOnce(&mut Self, &mut T),
    ) {
        let mut inner = T::default();
        if self.visit_inner(key, |reader| bind(reader, &mut inner)) {
            *value = Some(inner);
        }
    }
}
