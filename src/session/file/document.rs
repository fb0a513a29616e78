//! The text of a session file as a tree whose every value knows its place.
//!
//! The tree knows nothing of notations: [`read_toml`](super::read_toml) and [`read_json`](super::read_json) make it.

use crate::{
    diagnostics::suggest::hint,
    error::{Problem, ProblemKind, SourceLocation, Subject},
    session::written::{Sheet, Written},
};
use std::{collections::HashMap, ops::Range, sync::Arc};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    pub span: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Number(f64),
    Switch(bool),
    List(Vec<Node>),
    Table(Table),
    /// A kind of value that no session has: a date, an integer beyond 64 bits.
    Other(&'static str),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub entries: Vec<(Key, Node)>,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub name: String,
    pub span: Range<usize>,
}

impl Value {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "an integer",
            Self::Number(_) => "a number",
            Self::Switch(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(k, _)| k.name == key).map(|(_, node)| node)
    }

    /// The value of a key, where it is text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(|node| if let Value::Text(text) = &node.value { Some(text.as_str()) } else { None })
    }

    /// The tables within the table of a key, with their names.
    pub(super) fn tables(&self, key: &str) -> impl Iterator<Item = (&Key, &Table)> {
        let inner = self.get(key).and_then(|n| if let Value::Table(t) = &n.value { Some(t) } else { None });
        inner.into_iter().flat_map(|t| &t.entries).filter_map(|(key, node)| match &node.value {
            Value::Table(table) => Some((key, table)),
            _ => None,
        })
    }
}

/// Where a thing is written, and the values of keys that problems of the whole session begin with.
#[derive(Clone)]
pub(super) struct Owner {
    pub span: Range<usize>,
    pub keys: Vec<(&'static str, Range<usize>)>,
}

/// Problems beyond this many are counted, and not told one by one.
const MOST_TOLD: usize = 100;

/// What has been found wrong with the text so far.
pub(super) struct Text {
    sheet: Arc<Sheet>,
    problems: Vec<Problem>,
    untold: usize,
    /// Where each thing that messages name is written, and some of its keys.
    owners: HashMap<String, Owner>,
    /// The keys that each kind of table was asked for.
    #[cfg(test)]
    pub(super) known: std::collections::BTreeMap<&'static str, std::collections::BTreeSet<&'static str>>,
}

impl Text {
    pub(super) fn new(sheet: &Arc<Sheet>) -> Self {
        Self {
            sheet: Arc::clone(sheet),
            problems: Vec::new(),
            untold: 0,
            owners: HashMap::new(),
            #[cfg(test)]
            known: std::collections::BTreeMap::new(),
        }
    }

    /// Notes a problem at a place, in words.
    pub(super) fn say(&mut self, span: Range<usize>, what: impl Into<String>) {
        self.report(&span, Problem::new(what));
    }

    /// Notes a problem at a place.
    pub(super) fn report(&mut self, span: &Range<usize>, problem: Problem) {
        if self.problems.len() == MOST_TOLD {
            self.untold += 1;
        } else {
            self.problems.push(problem.at(self.sheet.place(span)));
        }
    }

    /// Notes a problem of the whole session, at its own place or at that of its subject.
    pub(super) fn pass_on(&mut self, problem: Problem) {
        match problem.span {
            Some(_) if self.problems.len() < MOST_TOLD => self.problems.push(problem),
            _ => self.report(&self.owner(&problem), problem),
        }
    }

    /// A guess at what was meant, unless too much is wrong already to be worth the search.
    pub(super) fn hint<'a>(&self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
        let worth = self.problems.len() < MOST_TOLD && name.len() < 100;
        if worth { hint(name, candidates) } else { String::new() }
    }

    /// Remembers where a thing is written that problems found later may name.
    pub(super) fn own(&mut self, who: &str, owner: Owner) {
        self.owners.insert(who.to_owned(), owner);
    }

    /// Returns where the subject of a problem is written, or the key of it that holds the wrong value; the start of the
    /// text for others.
    fn owner(&self, problem: &Problem) -> Range<usize> {
        let subject = match &problem.kind {
            ProblemKind::BusCycle { buses } => buses.first().map(|name| Subject::Bus { name: name.clone() }),
            _ => Some(problem.subject.clone()),
        };
        let Some(owner) = subject.and_then(|subject| self.owners.get(&subject.to_string())) else { return 0..0 };
        let key = problem.kind.key().and_then(|key| owner.keys.iter().find(|(k, _)| *k == key));
        key.map_or(&owner.span, |(_, span)| span).clone()
    }

    /// The place of a thing and of its keys, to be kept with it.
    pub(super) fn written(&self, whole: &Range<usize>, keys: Vec<(&'static str, Range<usize>)>) -> Written {
        Written::new(&self.sheet, whole.clone(), keys)
    }

    /// Everything that was said, in the order of the text.
    pub(super) fn problems(mut self) -> Vec<Problem> {
        let set = |place: &SourceLocation| place.file != self.sheet.path;
        self.problems.sort_by_key(|p| p.span.as_ref().map(|place| (set(place), place.line, place.column)));
        let more = (self.untold > 0).then(|| Problem::new(format!("and {} more problems", self.untold)));
        self.problems.into_iter().chain(more).collect()
    }
}
