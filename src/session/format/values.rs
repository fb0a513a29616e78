//! Reads each type of the model from a value of the session file, and writes it back as one.

use super::{
    clock::{Clock, TimeOrigin, frames_in_one_word, no_unit},
    files::confined,
    keys::{KeySpec, Kind},
    problems::Problems,
    session_reader::Context,
    tree::{Key, Node, Table, Value},
};
use crate::{
    curve::{Curve, Fade, FadeShape, Point, Shape},
    dsp::pan::PanLaw,
    encode::{Dither, Format},
    error::{Problem, Subject},
    layout::Layout,
    media::Input,
    session::{
        At, BusId, BusSend, CueId, CueKind, Excerpt, Marker, Selector, Session, exact_times::exact,
    },
    storage::is_link,
    timecode::{FrameRate, Timecode},
    units::{Dbtp, Decibels, ExactFrames, Frames, Lufs, PICOSECONDS, Pan, SampleRate},
};
use std::{
    fmt::{Display, Write as _},
    ops::Range,
    path::{Component, Path, PathBuf},
    str::FromStr,
};

/// A type of the model that a key of the session file can have.
pub(super) trait FieldValue: Sized {
    /// Reads a value; `None` after reporting a problem.
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self>;

    /// Returns the value as the file states it; `None` where it is absent.
    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value>;
}

/// The settings that apply to the values of a table.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub context: &'a Context<'a>,
    pub origin: TimeOrigin,
    /// The folder of the files that the table names, relative to the session's.
    pub folder: &'a Path,
    /// The session as read so far, for values that name parts of it.
    pub session: Option<&'a Session>,
}

/// One value that is being read.
pub(super) struct FieldReader<'a> {
    /// The table, for messages: `track "piano"`.
    pub subject: &'a str,
    pub key: &'static KeySpec,
    pub scope: Scope<'a>,
    pub problems: &'a mut Problems,
}

impl FieldReader<'_> {
    pub(super) fn clock(&self) -> &Clock {
        &self.scope.context.clock
    }

    /// Reports a value of a type that the key does not have.
    fn wrong_type(&mut self, node: &Node) {
        self.wrong_type_with(node, "");
    }

    /// Reports a value of a type that the key does not have, with a suggestion.
    fn wrong_type_with(&mut self, node: &Node, suggestion: &str) {
        let (subject, name) = (self.subject, self.key.name);
        let message = format!(
            "{subject}: {name} is {}, but should be {}{suggestion}",
            node.value.kind(),
            self.key.kind.expected()
        );
        self.problems.report(node.span.clone(), message);
    }

    /// Reports a problem of the value.
    pub(super) fn wrong(&mut self, node: &Node, message: impl Display) {
        let message = format!("{}: {}: {message}", self.subject, self.key.name);
        self.problems.report(node.span.clone(), message);
    }

    /// Reports a problem of a part of the value.
    pub(super) fn wrong_at(&mut self, span: &Range<usize>, message: impl Display) {
        self.problems
            .report(span.clone(), format!("{}: {message}", self.subject));
    }

    /// Returns a result's value; reports its error.
    pub(super) fn checked<T>(&mut self, node: &Node, read: Result<T, impl Display>) -> Option<T> {
        read.map_err(|message| self.wrong(node, message)).ok()
    }

    fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        let text = node.value.as_text();
        if text.is_none() {
            self.wrong_type(node);
        }
        text
    }

    pub(super) fn entries<'n>(&mut self, node: &'n Node) -> &'n [(Key, Node)] {
        if let Value::Table(table) = &node.value {
            return &table.entries;
        }
        self.wrong_type(node);
        &[]
    }

    /// Reads one text or a list of texts, each with its place.
    pub(super) fn texts<'n>(&mut self, node: &'n Node) -> Vec<(&'n str, Range<usize>)> {
        let nodes = if let Value::List(list) = &node.value {
            list.as_slice()
        } else {
            std::slice::from_ref(node)
        };
        nodes
            .iter()
            .filter_map(|node| Some((self.text(node)?, node.span.clone())))
            .collect()
    }

    /// Returns the bus of a name; reports a name that no bus has.
    fn bus(&mut self, name: &str, span: Range<usize>) -> Option<BusId> {
        let context = self.scope.context;
        let index = context.bus_index.get(name);
        if index.is_none() {
            let hint = self.problems.hint(name, context.buses.iter().copied());
            self.problems.report(
                span,
                format!("{}: there is no bus {name:?}{hint}", self.subject),
            );
        }
        index.map(|i| BusId::at(*i))
    }

    /// Reads a level within the range of the key.
    pub(super) fn number(&mut self, node: &Node) -> Option<f64> {
        let value = match &node.value {
            #[expect(
                clippy::cast_precision_loss,
                reason = "what loses digits lies outside the range"
            )]
            Value::Integer(n) => *n as f64,
            Value::Number(x) => *x,
            other => {
                let number = other
                    .as_text()
                    .and_then(|text| plain_number(text, self.key.unit));
                let suggestion = number.map(|number| format!(": write {number}"));
                self.wrong_type_with(node, &suggestion.unwrap_or_default());
                return None;
            }
        };
        if let Kind::Number { low, high } = self.key.kind
            && !(low..=high).contains(&value)
        {
            self.wrong(node, format!("{value} is outside {low} to {high}"));
            return None;
        }
        Some(value)
    }
}

/// One value that is being written.
pub(super) struct FieldWriter<'a> {
    /// The track, bus, cue or deliverable, for messages.
    pub name: &'a str,
    pub session: &'a Session,
    /// The folder of the session file.
    pub folder: &'a Path,
    /// The first content that a session file cannot state.
    pub refused: &'a mut Option<String>,
}

impl FieldWriter<'_> {
    pub(super) fn refuse(&mut self, message: String) {
        self.refused.get_or_insert(message);
    }

    fn bus(&self, id: BusId) -> String {
        self.session
            .buses()
            .get(id.0)
            .map_or_else(String::new, |bus| bus.strip.name.clone())
    }

    /// Returns a time as milliseconds where those are exact, or else in frames.
    pub(super) fn time(&self, frames: Frames) -> Value {
        match seconds(frames, self.session.rate) {
            Some(text) => Value::Text(text),
            None if frames == Frames::ZERO => Value::Integer(0),
            None => Value::Text(format!("{frames} frames")),
        }
    }

    /// Returns a path relative to the folder of the session file, with `/` between its components.
    fn path(&mut self, path: &Path) -> String {
        let inner = path
            .strip_prefix(self.folder)
            .map_or_else(|_| from_folder(path, self.folder), Path::to_owned);
        let Some(text) = inner.to_str() else {
            self.refuse(format!(
                "{}: the name is no text that a session file can hold",
                inner.display()
            ));
            return String::new();
        };
        // The components of a link lack one of its slashes.
        let is_relative = !is_link(text)
            && inner
                .components()
                .all(|c| matches!(c, Component::Normal(_) | Component::ParentDir));
        if is_relative {
            let names: Vec<&str> = inner
                .components()
                .filter_map(|c| c.as_os_str().to_str())
                .collect();
            return names.join("/");
        }
        text.to_owned()
    }
}

/// Returns a relative path that leads from a folder to a file outside it: `../stems/vox.wav`. An absolute path and a link stay
/// as they are.
fn from_folder(path: &Path, folder: &Path) -> PathBuf {
    if path.is_absolute() || path.to_str().is_some_and(is_link) {
        return path.to_owned();
    }
    // A folder that exists may be reached through links, which `..` would not go back through.
    let folder = folder
        .canonicalize()
        .or_else(|_| std::path::absolute(folder));
    let file = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => {
            let parent = if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            };
            let parent = parent
                .canonicalize()
                .or_else(|_| std::path::absolute(parent));
            parent.map(|parent| parent.join(name))
        }
        _ => std::path::absolute(path),
    };
    let (Ok(folder), Ok(file)) = (folder, file) else {
        return path.to_owned();
    };
    let common = folder
        .components()
        .zip(file.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = folder
        .components()
        .skip(common)
        .map(|_| Component::ParentDir);
    up.chain(file.components().skip(common)).collect()
}

/// Absent without a value.
impl<T: FieldValue> FieldValue for Option<T> {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        T::read(node, field).map(Some)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        self.as_ref()?.write(field)
    }
}

/// Absent where it is empty.
impl FieldValue for String {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let text = field.text(node)?;
        let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let is_language = !text.is_empty() && text.len() <= 35 && text.chars().all(plain);
        if matches!(field.key.kind, Kind::Language) && !is_language {
            field.wrong(node, format!("{text:?} is no language, like en or pt-BR"));
            return None;
        }
        Some(text.to_owned())
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        (!self.is_empty()).then(|| Value::Text(self.clone()))
    }
}

impl FieldValue for bool {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        if let Value::Switch(on) = node.value {
            return Some(on);
        }
        field.wrong_type(node);
        None
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        Some(Value::Switch(*self))
    }
}

impl FieldValue for u32 {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let count = if let Value::Integer(n) = node.value {
            Self::try_from(n).ok()
        } else {
            None
        };
        if count.is_none() {
            field.wrong_type(node);
        }
        count
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        Some(Value::Integer((*self).into()))
    }
}

impl FieldValue for f64 {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        field.number(node)
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        Some(number(*self))
    }
}

/// A rate in hertz. One that is usual as kilohertz is refused, with a suggestion: `48`, `44.1`, `"48kHz"`.
impl FieldValue for SampleRate {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let meant = Self::meant_by(&node.value.inline());
        let suggestion = meant.map(|rate| format!("; did you mean {rate}?"));
        match (&node.value, &suggestion) {
            (Value::Integer(hz @ ..1000), Some(suggestion)) => {
                field.wrong_at(
                    &node.span,
                    format!("{} = {hz} is {hz} Hz{suggestion}", field.key.name),
                );
                return None;
            }
            (Value::Integer(_), _) => {}
            _ => {
                field.wrong_type_with(node, &suggestion.unwrap_or_default());
                return None;
            }
        }
        let rate = Self::new(u32::read(node, field)?);
        rate.map_err(|e| field.problems.report(node.span.clone(), e.to_string()))
            .ok()
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        self.hz().write(field)
    }
}

/// Values that are written as their names.
macro_rules! named {
    ($($type:ty),*) => {$(
        impl FieldValue for $type {
            fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
                let name = field.text(node)?;
                field.checked(node, name.parse())
            }

            fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
                Some(Value::Text(self.to_string()))
            }
        }
    )*};
}
named!(CueKind, Dither, Format, Layout, PanLaw);

/// A name, or the number that means the same: `"24"`, `24`.
impl FieldValue for FrameRate {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let name = match &node.value {
            Value::Integer(n) => n.to_string(),
            Value::Number(x) => x.to_string(),
            _ => field.text(node)?.to_owned(),
        };
        field.checked(node, name.parse())
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        Some(Value::Text(self.to_string()))
    }
}

impl FieldValue for Timecode {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let text = field.text(node)?;
        let timecode = field.clock().timecode(text);
        field.checked(node, timecode)
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        Some(Value::Text(self.to_string()))
    }
}

impl FieldValue for Decibels {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        field.checked(node, decibels(node))
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        Some(number(self.0))
    }
}

impl FieldValue for Lufs {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        field.number(node).map(Self)
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        Some(number(self.0))
    }
}

impl FieldValue for Dbtp {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        match field.key.kind {
            Kind::Number { .. } => field.number(node).map(Self),
            _ => Decibels::read(node, field).map(|level| Self(level.0)),
        }
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        Some(number(self.0))
    }
}

/// A pan as in `"L30"`, or from −1 (left) to 1 (right).
impl FieldValue for Pan {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let pan = match &node.value {
            Value::Text(text) => text.parse().map_err(|e| format!("{e}")),
            Value::Integer(0) => Ok(Self(0.0)),
            Value::Integer(n) if n.unsigned_abs() == 1 => Ok(Self(f64::from(n.signum() as i8))),
            Value::Number(x) if (-1.0..=1.0).contains(x) => Ok(Self(*x)),
            Value::Integer(_) | Value::Number(_) => {
                Err("is outside -1 (left) to 1 (right)".to_owned())
            }
            other => Err(format!(
                "is {}, but should be {}",
                other.kind(),
                field.key.kind.expected()
            )),
        };
        field.checked(node, pan)
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        Some(pan(*self))
    }
}

/// A length.
impl FieldValue for Frames {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let length = time(node, field.clock(), |text| field.clock().length(text));
        field.checked(node, length)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        Some(field.time(*self))
    }
}

impl FieldValue for At {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let at = time(node, field.clock(), |text| {
            field.clock().position(text, field.scope.origin)
        });
        field.checked(node, at)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        Some(match self {
            Self::Frames(frames) => field.time(*frames),
            Self::Timecode(timecode) => match frames_of_other_rate(*timecode, field.session) {
                Some(frames) => field.time(frames),
                None => Value::Text(timecode.to_string()),
            },
            Self::Origin => Value::Text("origin".to_owned()),
        })
    }
}

/// Returns the frames from the start of a session to a timecode whose frame rate the session file does not state, and at which
/// the text of the timecode would be another position or an error.
fn frames_of_other_rate(timecode: Timecode, session: &Session) -> Option<Frames> {
    let start = match session.picture() {
        Some((fps, _)) if fps == timecode.rate() => return None,
        Some((_, start)) => start.frames(session.rate),
        None => Frames::ZERO,
    };
    let at = timecode.frames(session.rate);
    at.0.checked_sub(start.0).map(Frames)
}

/// A fade as in `"50ms"` or `"2s equal-power"`; absent where its length is 0, whatever its shape.
impl FieldValue for Fade {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let clock = field.clock();
        let fade = match &node.value {
            Value::Text(text) => {
                let text = frames_in_one_word(text.trim());
                let (time, name) = text.split_once(' ').unwrap_or((&*text, "linear"));
                clock.length(time).and_then(|length| {
                    let shape = name
                        .trim()
                        .parse::<FadeShape>()
                        .map_err(|e| e.to_string())?;
                    Ok(Self { length, shape })
                })
            }
            _ => time(node, clock, |text| clock.length(text)).map(Self::linear),
        };
        field.checked(node, fade)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        if self.length == Frames::ZERO {
            return None;
        }
        let length = field.time(self.length);
        Some(if self.shape == FadeShape::default() {
            length
        } else {
            Value::Text(format!("{} {}", length.inline(), self.shape))
        })
    }
}

/// A time and its exact value, where the file states one between two frames.
pub(super) struct Stated<T> {
    pub value: T,
    pub exact: Option<ExactFrames>,
}

/// A value that holds one time.
pub(super) trait Timed: FieldValue {
    /// Returns the time; `None` where there is none, or where it is exact by itself.
    fn frames(&self) -> Option<Frames>;

    /// Puts the notation of an exact time in place of that of the nearest frame.
    fn restated(&self, exact: String) -> Value {
        Value::Text(exact)
    }
}

impl Timed for Frames {
    fn frames(&self) -> Option<Frames> {
        Some(*self)
    }
}

impl Timed for Option<Frames> {
    fn frames(&self) -> Option<Frames> {
        *self
    }
}

impl Timed for At {
    fn frames(&self) -> Option<Frames> {
        match self {
            Self::Frames(frames) => Some(*frames),
            Self::Timecode(_) | Self::Origin => None,
        }
    }
}

impl Timed for Fade {
    fn frames(&self) -> Option<Frames> {
        Some(self.length)
    }

    fn restated(&self, exact: String) -> Value {
        Value::Text(if self.shape == FadeShape::default() {
            exact
        } else {
            format!("{exact} {}", self.shape)
        })
    }
}

impl<T: Timed> FieldValue for Stated<T> {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let value = T::read(node, field)?;
        let time = frames_in_one_word(node.value.as_text().map(str::trim).unwrap_or_default());
        let time = time.split_once(' ').map_or(&*time, |(time, _)| time);
        let exact = value.frames().and_then(|_| field.clock().exact(time));
        Some(Self { value, exact })
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        let stated = self.value.frames().map(|frames| exact(frames, self.exact));
        match stated.filter(|exact| !exact.is_whole()) {
            Some(exact) => match exact_text(exact, field.session) {
                Some(text) => Some(self.value.restated(text)),
                None => self.value.write(field),
            },
            None => self.value.write(field),
        }
    }
}

/// A curve as in `["0s -inf", "4s 0 sine"]`: time, value, and the shape of the segment that leads there.
impl<T: CurveValue> FieldValue for Curve<T> {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let Value::List(list) = &node.value else {
            field.wrong_type(node);
            return None;
        };
        let mut curve = Self::new();
        for node in list {
            match point(node, field, |text| {
                text.parse::<T>().map_err(|e| e.to_string())
            }) {
                Ok((at, value, shape)) => curve = curve.point(at, value, shape),
                Err(message) => {
                    let message = format!("{} {}: {message}", field.subject, field.key.name);
                    field.problems.report(node.span.clone(), message);
                }
            }
        }
        Some(curve)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        let points = self.points.iter();
        let points = points.map(|point| point_text(point, &point.value.inline(), field));
        texts(&points.collect::<Vec<_>>())
    }
}

/// A value of an automation curve.
pub(super) trait CurveValue: FromStr<Err: Display> {
    /// Returns the value as a point of a curve states it.
    fn inline(&self) -> String;
}

impl CurveValue for Decibels {
    fn inline(&self) -> String {
        self.0.to_string()
    }
}

impl CurveValue for Pan {
    fn inline(&self) -> String {
        pan(*self).inline()
    }
}

/// Reads a point of a curve; `value` parses its value.
pub(super) fn point<T>(
    node: &Node,
    field: &FieldReader<'_>,
    value: impl Fn(&str) -> Result<T, String>,
) -> Result<(Frames, T, Shape), String> {
    let Value::Text(text) = &node.value else {
        return Err(format!(
            "a point is {}, but should be like \"4s -6 sine\"",
            node.value.kind()
        ));
    };
    let in_words = frames_in_one_word(text);
    let words: Vec<&str> = in_words.split_whitespace().collect();
    let (time, stated, shape) = match words.as_slice() {
        [time, value] => (time, value, &"linear"),
        [time, value, shape] => (time, value, shape),
        _ => {
            return Err(format!(
                "{text:?} should be a time, a value and perhaps a shape, like \"4s -6 sine\""
            ));
        }
    };
    let at = field.clock().moment(time, field.scope.origin)?;
    let value = value(stated)?;
    Ok((at, value, shape.parse().map_err(|e| format!("{e}"))?))
}

/// Returns a point of a curve as text; `value` is its value as text.
pub(super) fn point_text<T>(point: &Point<T>, value: &str, field: &FieldWriter<'_>) -> String {
    let mut text = format!("{} {value}", field.time(point.at).inline());
    if point.shape != Shape::default() {
        _ = write!(text, " {}", point.shape);
    }
    text
}

/// The bus that a track or a bus feeds.
impl FieldValue for BusId {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let name = field.text(node)?;
        field.bus(name, node.span.clone())
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        field.bus(*self).write(field)
    }
}

impl FieldValue for Vec<BusId> {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let names = field.texts(node);
        Some(
            names
                .into_iter()
                .filter_map(|(name, span)| field.bus(name, span))
                .collect(),
        )
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        texts(&self.iter().map(|bus| field.bus(*bus)).collect::<Vec<_>>())
    }
}

/// A cue by its name.
impl FieldValue for CueId {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let name = field.text(node)?;
        let cues = field.scope.session.map_or(&[][..], Session::cues);
        let index = cues.iter().position(|cue| cue.name == name);
        if index.is_none() {
            let hint = (field.problems).hint(name, cues.iter().map(|cue| cue.name.as_str()));
            field.wrong(node, format!("there is no cue {name:?}{hint}"));
        }
        index.map(CueId::at)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        let cue = field.session.cues().get(self.0);
        cue.map(|cue| Value::Text(cue.name.clone()))
    }
}

/// Two ends of a part of the timeline, either of which may be missing, as in `"10s..40s"`.
impl FieldValue for Excerpt {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let text = field.text(node)?;
        let (clock, origin) = (field.clock(), field.scope.origin);
        let end = |text: &str| match text.trim() {
            "" => Ok(None),
            text => clock.moment(text, origin).map(Some),
        };
        let read = || {
            let (start, stop) = text.split_once("..").ok_or_else(|| {
                format!("{text:?} is no range, like \"10s..40s\", \"10s..\" or \"..40s\"")
            })?;
            Ok::<_, String>(Self {
                start: end(start)?.unwrap_or(Frames::ZERO),
                end: end(stop)?,
            })
        };
        let read = read();
        field.checked(node, read)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        let time = |frames: Frames| match field.time(frames) {
            Value::Text(text) => text,
            _ => format!("{} frames", frames.0),
        };
        let start = time(self.start);
        let end = self.end.map(time).unwrap_or_default();
        Some(Value::Text(format!("{start}..{end}")))
    }
}

impl FieldValue for Vec<Selector> {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let mut parts = Vec::new();
        for (name, span) in field.texts(node) {
            match field.scope.session.map(|session| session.part(name)) {
                Some(Ok(part)) => parts.push(part),
                Some(Err(unknown)) => {
                    let message = format!("{}: {}: {unknown}", field.subject, field.key.name);
                    field.problems.report(span, message);
                }
                None => {}
            }
        }
        Some(parts)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        texts(
            &self
                .iter()
                .filter_map(|part| field.session.part_name(*part))
                .collect::<Vec<_>>(),
        )
    }
}

/// One text, or a list of them.
impl FieldValue for Vec<String> {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        Some(
            field
                .texts(node)
                .into_iter()
                .map(|(text, _)| text.to_owned())
                .collect(),
        )
    }

    fn write(&self, _: &mut FieldWriter<'_>) -> Option<Value> {
        texts(self)
    }
}

/// Sends as in `{ hall = -12 }`.
impl FieldValue for Vec<BusSend> {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let mut sends = Self::new();
        for (key, node) in field.entries(node) {
            let to = field.bus(&key.name, key.span.clone());
            match decibels(node) {
                Ok(gain) => sends.extend(to.map(|to| BusSend { to, gain })),
                Err(message) => {
                    let message = format!("{}: send to {:?} {message}", field.subject, key.name);
                    field.problems.report(node.span.clone(), message);
                }
            }
        }
        Some(sends)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        let mut table = Table::default();
        for send in self {
            let name = field.bus(send.to);
            if table.get(&name).is_some() {
                field.refuse(format!(
                    "{:?} has two sends to {name:?}, which a session file cannot say",
                    field.name
                ));
            }
            table.put(&name, number(send.gain.0));
        }
        (!table.entries.is_empty()).then_some(Value::Table(table))
    }
}

/// Markers as in `{ "8s" = "lightning" }`.
impl FieldValue for Vec<Marker> {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let mut markers = Self::new();
        for (key, node) in field.entries(node) {
            let at = field.clock().moment(&key.name, field.scope.origin);
            let (span, message) = match (at, &node.value) {
                (Ok(at), Value::Text(name)) => {
                    markers.push(Marker {
                        at,
                        name: name.clone(),
                    });
                    continue;
                }
                (Err(message), _) => (&key.span, format!(": {message}")),
                (_, other) => (
                    &node.span,
                    format!(" {:?} is {}, but should be text", key.name, other.kind()),
                ),
            };
            let message = format!("{}: {}{message}", field.subject, field.key.name);
            field.problems.report(span.clone(), message);
        }
        // So that a marker may be added anywhere in the file.
        markers.sort_by_key(|marker| marker.at);
        Some(markers)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        let mut table = Table::default();
        for marker in self {
            let time = field.time(marker.at).inline();
            if table.get(&time).is_some() {
                field.refuse(format!(
                    "there are two markers at {time}, which a session file cannot say: give one of them both names"
                ));
            }
            table.put(&time, Value::Text(marker.name.clone()));
        }
        (!table.entries.is_empty()).then_some(Value::Table(table))
    }
}

/// The file of a stem.
impl FieldValue for Input {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        PathBuf::read(node, field).map(Self::file)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        let Self::File {
            path,
            stream,
            channel,
        } = self
        else {
            field.refuse(format!(
                "track {:?}: {self} comes from the program; a session file names files",
                field.name
            ));
            return None;
        };
        let mut file = field.path(path);
        if let Some(stream) = stream {
            _ = write!(file, "#{stream}");
        }
        if let Some(channel) = channel {
            _ = write!(file, "#ch{channel}");
        }
        Some(Value::Text(file))
    }
}

impl FieldValue for PathBuf {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let file = field.text(node)?;
        if let Some(message) = backslashed(file, field.scope) {
            field.wrong(node, message);
            return None;
        }
        let path = confined(file, field.scope.folder, field.scope.context, field.subject);
        path.map_err(|kind| {
            field
                .problems
                .add(&node.span, Problem::with_kind(Subject::Session, kind))
        })
        .ok()
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        Some(Value::Text(field.path(self)))
    }
}

/// Returns the number that a text states with a unit, or with none: `"-14 LUFS"`.
fn plain_number(text: &str, unit: &str) -> Option<f64> {
    let (number, stated) = leading_number(text)?;
    let is_unit = stated.is_empty() || stated.eq_ignore_ascii_case(unit);
    is_unit.then_some(number)
}

/// Splits a text into the number that it begins with and the rest.
pub(super) fn leading_number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-');
    let digits = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest.trim_start()))
}

/// Returns the message for a path with backslashes, which are escapes in TOML text, if it names a file with slashes.
fn backslashed(file: &str, scope: Scope<'_>) -> Option<String> {
    let mut slashed = String::new();
    for c in file.chars() {
        match c {
            '\\' => slashed.push('/'),
            '\u{8}' => slashed.push_str("/b"),
            '\t' => slashed.push_str("/t"),
            '\n' => slashed.push_str("/n"),
            '\u{c}' => slashed.push_str("/f"),
            '\r' => slashed.push_str("/r"),
            '\u{1b}' => slashed.push_str("/e"),
            c => slashed.push(c),
        }
    }
    if slashed == file || is_link(file) {
        return None;
    }
    let folder = scope.context.folder.join(scope.folder);
    let is_meant = !folder.join(file).exists() && folder.join(slashed.replace("//", "/")).exists();
    let slashed = slashed.replace("//", "/");
    is_meant.then(|| format!("folders are separated by /: write \"{slashed}\""))
}

/// Reads a time: a number of frames, or text in a notation of its own.
fn time<T: From<Frames>>(
    node: &Node,
    clock: &Clock,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, String> {
    match &node.value {
        Value::Text(text) => parse(text),
        Value::Integer(n) if *n > 0 && !clock.allows_bare_numbers => Err(no_unit(&n.to_string())),
        Value::Number(n) if *n > 0.0 => Err(no_unit(&n.to_string())),
        Value::Integer(n) => u64::try_from(*n)
            .map(|n| Frames(n).into())
            .map_err(|_| "is below 0".to_owned()),
        other => Err(format!(
            "is {}, but should be {}",
            other.kind(),
            Kind::Length.expected()
        )),
    }
}

/// Reads a level: a number, which TOML also writes as `-inf` and JSON as `"-inf"`.
pub(super) fn decibels(node: &Node) -> Result<Decibels, String> {
    let wrong = |value: &Value| {
        format!(
            "is {}, but should be {}",
            value.kind(),
            Kind::Level.expected()
        )
    };
    match &node.value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "levels that lose digits are refused when compiled"
        )]
        Value::Integer(n) => Ok(Decibels(*n as f64)),
        Value::Number(x) if x.is_finite() || *x == f64::NEG_INFINITY => Ok(Decibels(*x)),
        Value::Number(x) => Err(format!("{x} is no level in dB")),
        Value::Text(text) => text.parse().map_err(|_| wrong(&node.value)),
        other => Err(wrong(other)),
    }
}

/// Seconds from which on a time is written in frames: reading it as seconds may not be exact.
const LONGEST_IN_SECONDS: u128 = 1 << 32;

/// Returns a time as `12.5s` where whole milliseconds are exact.
fn seconds(frames: Frames, rate: SampleRate) -> Option<String> {
    let (millis, hz) = (u128::from(frames.0) * 1000, u128::from(rate.hz()));
    if frames == Frames::ZERO || !millis.is_multiple_of(hz) {
        return None;
    }
    let millis = millis / hz;
    if millis / 1000 >= LONGEST_IN_SECONDS {
        return None;
    }
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    Some(format!(
        "{}s",
        text.trim_end_matches('0').trim_end_matches('.')
    ))
}

/// Returns a time between two frames as text that reads as the same time: seconds or milliseconds with up to nine decimals, or a
/// length in timecode.
fn exact_text(exact: ExactFrames, session: &Session) -> Option<String> {
    let hz = u128::from(session.rate.hz());
    if let Some(time) = exact.scaled(PICOSECONDS, hz) {
        let (unit, size, digits) = if time.is_multiple_of(1000) {
            ("s", 1_000_000_000_000, 12)
        } else {
            ("ms", 1_000_000_000, 9)
        };
        let text = format!("{}.{:0digits$}", time / size, time % size);
        return Some(format!("{}{unit}", text.trim_end_matches('0')));
    }
    let fps = session.fps.or(session.start.map(Timecode::rate))?;
    let (num, den) = (u128::from(fps.numerator()), u128::from(fps.denominator()));
    let number = exact.scaled(num, den * hz)?;
    (number < fps.day()).then(|| Timecode::of_number(number, fps).to_string())
}

/// Returns a whole number where the value is one.
pub(super) fn number(x: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only whole numbers of few digits are cast"
    )]
    if x.fract() == 0.0 && x.abs() < 1e9 {
        Value::Integer(x as i64)
    } else {
        Value::Number(x)
    }
}

/// Returns `L30` where that is exact, or else the number.
fn pan(pan: Pan) -> Value {
    let named = pan.to_string();
    if named.parse() == Ok(pan) {
        Value::Text(named)
    } else {
        Value::Number(pan.0)
    }
}

/// Returns a list of texts; `None` for none.
pub(super) fn texts(texts: &[String]) -> Option<Value> {
    let node = |text: &String| Node {
        value: Value::Text(text.clone()),
        span: 0..0,
    };
    (!texts.is_empty()).then(|| Value::List(texts.iter().map(node).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(rate: SampleRate) -> Session {
        Session::new(rate, Layout::Stereo)
    }

    /// Returns a value as it is written into a file of the session, as part of a text.
    fn written(value: &impl FieldValue, session: &Session) -> Option<String> {
        let mut refused = None;
        let mut field = FieldWriter {
            name: "t",
            session,
            folder: Path::new("reels"),
            refused: &mut refused,
        };
        let value = value.write(&mut field).map(|value| value.inline());
        assert_eq!(refused, None);
        value
    }

    fn node(value: Value) -> Node {
        Node { value, span: 0..0 }
    }

    #[test]
    fn a_time_is_written_in_seconds_where_whole_milliseconds_are_exact() {
        let text = |frames: u64| seconds(Frames(frames), SampleRate::HZ_48000);
        for (frames, seconds) in [
            (48, "0.001s"),
            (48_000, "1s"),
            (480_000, "10s"),
            (600_000, "12.5s"),
            (((1 << 32) - 1) * 48_000, "4294967295s"),
        ] {
            assert_eq!(text(frames).as_deref(), Some(seconds));
        }
        for frames in [0, 1, 47, 48_024, (1 << 32) * 48_000] {
            assert_eq!(text(frames), None, "{frames}");
        }
        let film = session(SampleRate::HZ_48000);
        for (frames, text) in [(0, "0"), (47, "47 frames"), (96, "0.002s")] {
            assert_eq!(written(&Frames(frames), &film).unwrap(), text);
            assert_eq!(written(&At::Frames(Frames(frames)), &film).unwrap(), text);
        }
        assert_eq!(written(&At::Origin, &film).unwrap(), "origin");
        assert_eq!(written(&None::<Frames>, &film), None);
    }

    #[test]
    fn numbers_and_pans_are_written_as_short_as_they_are_exact() {
        let is_integer = |x: f64| matches!(number(x), Value::Integer(n) if n as f64 == x);
        let is_number =
            |x: f64| matches!(number(x), Value::Number(y) if y.to_bits() == x.to_bits());
        for x in [0.0, 3.0, -60.0, 999_999_999.0, -999_999_999.0] {
            assert!(is_integer(x), "{x}");
        }
        for x in [0.5, 1e9, -1e9, f64::NEG_INFINITY, f64::NAN] {
            assert!(is_number(x), "{x}");
        }
        for (value, text) in [(0.3, "R30"), (-1.0, "L100"), (0.0, "C"), (0.255, "0.255")] {
            assert_eq!(pan(Pan(value)).inline(), text);
        }
    }

    #[test]
    fn a_fade_states_its_length_and_a_shape_that_is_not_linear() {
        let film = session(SampleRate::HZ_48000);
        let fade = |frames, shape| {
            let length = Frames(frames);
            written(&Fade { length, shape }, &film)
        };
        assert_eq!(fade(48_000, FadeShape::Linear).unwrap(), "1s");
        assert_eq!(fade(47, FadeShape::Linear).unwrap(), "47 frames");
        assert_eq!(
            fade(48, FadeShape::EqualPower).unwrap(),
            "0.001s equal-power"
        );
        assert_eq!(fade(0, FadeShape::EqualPower), None);
    }

    #[test]
    fn a_time_between_two_frames_is_written_exactly() {
        let film = session(SampleRate::HZ_48000);
        // 1.01 ms are 48.48 frames; the last three decimals are written in milliseconds.
        let exact = Some(ExactFrames::new(1212, 25));
        let picosecond = Some(ExactFrames::new(48_000 * 1_000_000_001, 1_000_000_000_000));
        let stated = |value, exact| written(&Stated { value, exact }, &film).unwrap();
        assert_eq!(stated(Frames(48), exact), "0.00101s");
        assert_eq!(stated(Frames(48), picosecond), "1.000000001ms");
        assert_eq!(stated(Frames(48), None), "0.001s");
        // The time was set since.
        assert_eq!(stated(Frames(50), exact), "50 frames");
        let at = |at, exact| written(&Stated { value: at, exact }, &film).unwrap();
        assert_eq!(at(At::Frames(Frames(48)), exact), "0.00101s");
        assert_eq!(at(At::Origin, exact), "origin");
        let some = Stated {
            value: Some(Frames(48)),
            exact,
        };
        assert_eq!(written(&some, &film).unwrap(), "0.00101s");
        let none = Stated {
            value: None::<Frames>,
            exact,
        };
        assert_eq!(written(&none, &film), None);
        for (shape, text) in [
            (FadeShape::Linear, "0.00101s"),
            (FadeShape::EqualPower, "0.00101s equal-power"),
        ] {
            let value = Fade {
                length: Frames(48),
                shape,
            };
            assert_eq!(written(&Stated { value, exact }, &film).unwrap(), text);
        }
        // A frame of 24 a second is 1,837.5 frames, and no decimal number of seconds.
        let mut slow = session(SampleRate::HZ_44100);
        let frame = Stated {
            value: Frames(1838),
            exact: Some(ExactFrames::new(3675, 2)),
        };
        assert_eq!(written(&frame, &slow).unwrap(), "1838 frames");
        slow.fps = Some(FrameRate::FPS_24);
        assert_eq!(written(&frame, &slow).unwrap(), "00:00:00:01");
        slow.fps = None;
        slow.start = Some(Timecode::midnight(FrameRate::FPS_24));
        assert_eq!(written(&frame, &slow).unwrap(), "00:00:00:01");
        slow.fps = Some(FrameRate::FPS_25);
        assert_eq!(written(&frame, &slow).unwrap(), "1838 frames");
    }

    #[test]
    fn a_timecode_of_another_rate_is_written_from_the_start() {
        let timecode = |text: &str, fps| Timecode::parse(text, fps).unwrap();
        let at = At::Timecode(timecode("01:00:01:00", FrameRate::FPS_25));
        let mut film = session(SampleRate::HZ_48000);
        assert_eq!(written(&at, &film).unwrap(), "3601s");
        film.fps = Some(FrameRate::FPS_25);
        assert_eq!(written(&at, &film).unwrap(), "01:00:01:00");
        film.fps = Some(FrameRate::FPS_24);
        film.start = Some(timecode("01:00:00:00", FrameRate::FPS_24));
        assert_eq!(written(&at, &film).unwrap(), "1s");
        // Before the start there is no such time.
        film.start = Some(timecode("02:00:00:00", FrameRate::FPS_24));
        assert_eq!(written(&at, &film).unwrap(), "01:00:01:00");
    }

    #[test]
    fn a_path_leads_from_the_folder_of_the_session() {
        let film = session(SampleRate::HZ_48000);
        let path = |path: &str| written(&PathBuf::from(path), &film).unwrap();
        assert_eq!(path("reels/stems/a.wav"), "stems/a.wav");
        assert_eq!(path("stems/./a.wav"), "../stems/a.wav");
        assert_eq!(path("a.wav"), "../a.wav");
        assert_eq!(path("/stems/a.wav"), "/stems/a.wav");
        assert_eq!(path("s3://film/a.wav"), "s3://film/a.wav");
        let input = |input: Input| written(&input, &film).unwrap();
        assert_eq!(input(Input::file("reels/a.wav")), "a.wav");
        let stream = Input::stream("reels/a.mka", 2);
        assert_eq!(input(stream.clone()), "a.mka#2");
        assert_eq!(input(stream.channel(3)), "a.mka#2#ch3");
    }

    #[test]
    fn a_level_is_a_number_or_minus_infinity() {
        let read = |value| decibels(&node(value)).map(|level| level.0);
        assert_eq!(read(Value::Integer(-3)), Ok(-3.0));
        assert_eq!(read(Value::Number(0.5)), Ok(0.5));
        assert_eq!(
            read(Value::Number(f64::NEG_INFINITY)),
            Ok(f64::NEG_INFINITY)
        );
        assert_eq!(read(Value::Text("-inf".into())), Ok(f64::NEG_INFINITY));
        for x in [f64::INFINITY, f64::NAN] {
            assert_eq!(
                read(Value::Number(x)),
                Err(format!("{x} is no level in dB"))
            );
        }
        let text = read(Value::Text("loud".into())).unwrap_err();
        assert!(text.starts_with("is text, but should be "), "{text}");
        let switch = read(Value::Switch(true)).unwrap_err();
        assert!(switch.starts_with("is true or false, but should be "));
    }

    #[test]
    fn a_time_without_a_unit_is_read_where_programs_write_it() {
        let clock = |allows_bare_numbers| Clock {
            rate: SampleRate::HZ_48000,
            fps: None,
            start: None,
            allows_bare_numbers,
        };
        let read = |value, bare| {
            let clock = clock(bare);
            time::<Frames>(&node(value), &clock, |text| clock.length(text))
        };
        for bare in [false, true] {
            assert_eq!(read(Value::Integer(0), bare), Ok(Frames(0)));
            assert_eq!(read(Value::Text("1s".into()), bare), Ok(Frames(48_000)));
            assert_eq!(read(Value::Integer(-1), bare), Err("is below 0".to_owned()));
            let number = read(Value::Number(1.5), bare).unwrap_err();
            assert_eq!(number, "1.5 has no unit: write \"1.5s\"");
            let zero = read(Value::Number(0.0), bare).unwrap_err();
            assert!(zero.starts_with("is a number, but should be "), "{zero}");
        }
        assert_eq!(read(Value::Integer(5), true), Ok(Frames(5)));
        assert_eq!(
            read(Value::Integer(5), false).unwrap_err(),
            "5 has no unit: write \"5s\" or \"5 frames\""
        );
    }

    #[test]
    fn levels_and_timecodes_are_written_as_they_are_read() {
        let film = session(SampleRate::HZ_48000);
        assert_eq!(written(&Lufs(-23.0), &film).unwrap(), "-23");
        assert_eq!(written(&Dbtp(-1.5), &film).unwrap(), "-1.5");
        assert_eq!(
            written(&Decibels(f64::NEG_INFINITY), &film).unwrap(),
            "-inf"
        );
        assert_eq!(written(&FrameRate::FPS_29_97_DF, &film).unwrap(), "29.97df");
        let timecode = Timecode::midnight(FrameRate::FPS_24);
        assert_eq!(written(&timecode, &film).unwrap(), "00:00:00:00");
        assert_eq!(written(&SampleRate::HZ_44100, &film).unwrap(), "44100");
        assert_eq!(written(&true, &film).unwrap(), "true");
        assert_eq!(written(&"a".to_owned(), &film).unwrap(), "a");
        assert_eq!(written(&String::new(), &film), None);
        assert_eq!(written(&Layout::Stereo, &film).unwrap(), "stereo");
        let excerpt = |start, end: Option<u64>| Excerpt {
            start: Frames(start),
            end: end.map(Frames),
        };
        for (excerpt, text) in [
            (excerpt(0, None), "0 frames.."),
            (excerpt(48_000, Some(47)), "1s..47 frames"),
        ] {
            assert_eq!(written(&excerpt, &film).unwrap(), text);
        }
    }

    #[test]
    fn an_escape_in_place_of_a_folder_is_explained() {
        let folder = tempfile::tempdir().unwrap();
        let stems = folder.path().join("stems");
        std::fs::create_dir(&stems).unwrap();
        for name in ["bass.wav", "toms.wav", "noise.wav", "fx.wav", "reed.wav"] {
            std::fs::write(stems.join(name), "").unwrap();
            let path = folder.path().join("s.toml");
            for file in [format!("stems\\{name}"), format!("stems\\\\{name}")] {
                let text = format!("rate = 48000\n[track.t]\nfile = \"{file}\"\n");
                std::fs::write(&path, text).unwrap();
                let error = Session::load(&path).unwrap_err().to_string();
                let what = format!("folders are separated by /: write \"stems/{name}\"");
                assert!(error.contains(&what), "{error}");
            }
        }
    }
}
