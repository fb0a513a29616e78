//! Inserts of a strip: one table for each, whose keys derive from the parameters of its processor.

use super::{
    tree::{Key, Node, Table, Value},
    values::{
        FieldReader, FieldValue, FieldWriter, decibels, leading_number, number, point, point_text,
        texts,
    },
};
use crate::{
    curve::Curve,
    dsp::{PROCESSORS, Parameter, ProcessorKind, Unit},
    session::{BusId, Insert, Selector, TrackId},
    units::Frames,
};

/// Keys of an insert besides the parameters of its processor.
pub(super) const KEY: &str = "key";
pub(super) const TYPE: &str = "type";
pub(super) const BYPASS: &str = "bypass";
/// The type of a processor that a program supplies, and the key of its name.
pub(super) const CUSTOM: &str = "custom";
pub(super) const PROCESSOR: &str = "processor";

/// Inserts by name, as in `{ slap = { type = "delay", time = "90ms", mix = 0.2 } }`.
impl FieldValue for Vec<Insert> {
    fn read(node: &Node, field: &mut FieldReader<'_>) -> Option<Self> {
        let mut inserts = Self::new();
        for (key, node) in field.entries(node) {
            match &node.value {
                Value::Table(table) => inserts.extend(insert(key, table, field)),
                other => field.wrong_at(
                    &node.span,
                    format!(
                        "insert {:?} is {}, but should be a table",
                        key.name,
                        other.kind()
                    ),
                ),
            }
        }
        Some(inserts)
    }

    fn write(&self, field: &mut FieldWriter<'_>) -> Option<Value> {
        let mut table = Table::default();
        for (index, insert) in self.iter().enumerate() {
            let name = written_name(insert, index);
            if table.get(&name).is_some() {
                field.refuse(format!(
                    "{:?} has two inserts {name:?}, which a session file cannot state",
                    field.name
                ));
            }
            if insert.is_key_left_out {
                let strip = match field.name {
                    "" => "the master".to_owned(),
                    name => format!("{name:?}"),
                };
                field.refuse(format!(
                    "{strip}: the key of insert {name:?} is a track that this session leaves out, which a session file \
                     cannot state"
                ));
            }
            table.put(&name, Value::Table(written(insert, field)));
        }
        (!table.entries.is_empty()).then_some(Value::Table(table))
    }
}

/// Reads one insert; `None` after reporting a problem.
fn insert(name: &Key, table: &Table, field: &mut FieldReader<'_>) -> Option<Insert> {
    let subject = format!("insert {:?}", name.name);
    let types = || PROCESSORS.iter().map(|kind| kind.name);
    let Some((_, stated)) = table.entries.iter().find(|(key, _)| key.name == TYPE) else {
        let known: Vec<&str> = types().collect();
        field.wrong_at(
            &name.span,
            format!("{subject} has no type; there are {}", known.join(", ")),
        );
        return None;
    };
    if stated.value.as_text() == Some(CUSTOM) {
        return custom(&subject, name, table, field);
    }
    let Some(kind) = stated.value.as_text().and_then(ProcessorKind::named) else {
        let text = stated.value.inline();
        let hint = field.problems.hint_or_all(&text, types());
        field.wrong_at(
            &stated.span,
            format!("{subject}: there is no processor {text:?}{hint}"),
        );
        return None;
    };
    let mut insert = Insert::new(kind.name).ok()?.named(&name.name);
    for (key, node) in &table.entries {
        match (key.name.as_str(), &node.value) {
            (TYPE, _) => {}
            (KEY | BYPASS, _) => common(&subject, key, node, &mut insert, field),
            (key_name, _) => match kind
                .parameters
                .iter()
                .find(|parameter| parameter.key == key_name)
            {
                Some(parameter) => {
                    let set = value(parameter, node, field).and_then(|value| {
                        if let Some(problem) = parameter.problem(value, Some(field.clock().rate)) {
                            return Err(format!("{}: {problem}", kind.name));
                        }
                        insert
                            .clone()
                            .set(parameter.key, value)
                            .map_err(|e| e.to_string())
                    });
                    match set {
                        Ok(changed) => insert = changed,
                        Err(message) => field.wrong_at(&node.span, format!("{subject}: {message}")),
                    }
                }
                None => {
                    let known = kind
                        .parameters
                        .iter()
                        .map(|parameter| parameter.key)
                        .chain([TYPE, BYPASS])
                        .chain(kind.keyed.then_some(KEY));
                    let hint = field.problems.hint_or_all(key_name, known);
                    field.wrong_at(
                        &key.span,
                        format!("{subject}: unknown key {key_name:?}{hint}"),
                    );
                }
            },
        }
    }
    Some(insert)
}

/// Reads an insert whose processor a program supplies; `None` after reporting that it has no name.
fn custom(subject: &str, name: &Key, table: &Table, field: &mut FieldReader<'_>) -> Option<Insert> {
    let mut insert = None;
    for (key, node) in &table.entries {
        if key.name == PROCESSOR {
            match node.value.as_text() {
                Some(processor) => insert = Some(Insert::to_supply(processor).named(&name.name)),
                None => {
                    let message = format!(
                        "{subject}: {PROCESSOR} is {}, but should be text",
                        node.value.kind()
                    );
                    field.wrong_at(&node.span, message);
                    return None;
                }
            }
        }
    }
    let Some(mut insert) = insert else {
        let message = format!(
            "{subject} has no {PROCESSOR}: the name of a processor that a program supplies"
        );
        field.wrong_at(&name.span, message);
        return None;
    };
    for (key, node) in &table.entries {
        match key.name.as_str() {
            TYPE | PROCESSOR => {}
            KEY | BYPASS => common(subject, key, node, &mut insert, field),
            unknown => {
                let known = [TYPE, PROCESSOR, KEY, BYPASS];
                let hint = field.problems.hint_or_all(unknown, known);
                let message = format!("{subject}: unknown key {unknown:?}{hint}");
                field.wrong_at(&key.span, message);
            }
        }
    }
    Some(insert)
}

/// Reads a key that inserts of all types have.
fn common(subject: &str, key: &Key, node: &Node, insert: &mut Insert, field: &mut FieldReader<'_>) {
    match (key.name.as_str(), &node.value) {
        (KEY, _) => insert.key = side_chain(subject, node, field).or(insert.key),
        (_, Value::Switch(on)) => insert.bypass = *on,
        (_, other) => {
            let message = format!(
                "{subject}: {BYPASS} is {}, but should be true or false",
                other.kind()
            );
            field.wrong_at(&node.span, message);
        }
    }
}

/// Reads the curves of parameters under a key of a table of automation. `path` is what the name of the key adds to `insert`:
/// nothing, or an insert, or an insert and its parameter.
pub(super) fn read_curves(
    inserts: &mut [Insert],
    path: &[&str],
    name: &Key,
    node: &Node,
    field: &mut FieldReader<'_>,
) {
    if let [insert, parameter] = path {
        return read_curve(inserts, insert, parameter, name, node, field);
    }
    let Value::Table(table) = &node.value else {
        field.wrong_at(
            &node.span,
            format!(
                "{:?} is {}, but should be a table of inserts, like insert.comp.threshold = [\"0s -20\"]",
                name.name,
                node.value.kind()
            ),
        );
        return;
    };
    for (key, node) in &table.entries {
        let path: Vec<&str> = path.iter().copied().chain([key.name.as_str()]).collect();
        read_curves(inserts, &path, key, node, field);
    }
}

/// Reads the curve of one parameter of an insert.
fn read_curve(
    inserts: &mut [Insert],
    insert: &str,
    parameter: &str,
    name: &Key,
    node: &Node,
    field: &mut FieldReader<'_>,
) {
    let names: Vec<String> = inserts.iter().map(|known| known.name.clone()).collect();
    let Some(insert) = inserts.iter_mut().find(|known| known.name == insert) else {
        let hint = field
            .problems
            .hint(insert, names.iter().map(String::as_str));
        let message = format!("there is no insert {insert:?}{hint}");
        return field.wrong_at(&name.span, message);
    };
    let subject = format!("insert {:?}", insert.name);
    let parameters = ProcessorKind::named(insert.kind_name()).map_or(&[][..], |k| k.parameters);
    let Some(found) = parameters.iter().find(|known| known.key == parameter) else {
        let known = parameters.iter().map(|known| known.key);
        let hint = field.problems.hint_or_all(parameter, known);
        let message = format!("{subject}: unknown key {parameter:?}{hint}");
        return field.wrong_at(&name.span, message);
    };
    let Value::List(list) = &node.value else {
        let message = format!(
            "{subject}: {parameter} is {}, but should be a list of points",
            node.value.kind()
        );
        return field.wrong_at(&node.span, message);
    };
    let mut curve = Curve::new();
    for node in list {
        let read = point(node, field, |text| {
            let value = match text.parse() {
                Ok(number) if found.unit != Unit::Seconds => Value::Number(number),
                _ => Value::Text(text.to_owned()),
            };
            let span = node.span.clone();
            self::value(found, &Node { value, span }, field)
        });
        let problem = match read {
            Ok((at, value, shape)) => {
                curve = curve.point(at, value, shape);
                found.problem(value, Some(field.clock().rate))
            }
            Err(message) => Some(message),
        };
        if let Some(problem) = problem {
            return field.wrong_at(&node.span, format!("{subject}: {problem}"));
        }
    }
    match insert.clone().automate(parameter, curve) {
        Ok(changed) => *insert = changed,
        Err(error) => field.wrong_at(&node.span, format!("{subject}: {error}")),
    }
}

/// Returns the curves of parameters, by insert and parameter.
pub(super) fn written_curves(inserts: &[Insert], field: &FieldWriter<'_>) -> Table {
    let mut table = Table::default();
    for (index, insert) in inserts.iter().enumerate() {
        let mut curves = Table::default();
        for (_, parameter, curve) in insert.curves() {
            let points = curve.points.iter().map(|point| {
                let value = written_value(parameter, point.value, field).inline();
                point_text(point, &value, field)
            });
            if let Some(points) = texts(&points.collect::<Vec<_>>()) {
                curves.put(parameter.key, points);
            }
        }
        if !curves.entries.is_empty() {
            table.put(&written_name(insert, index), Value::Table(curves));
        }
    }
    table
}

/// Returns the name of an insert in the file: its own, or one from its kind and place.
fn written_name(insert: &Insert, index: usize) -> String {
    if insert.name.is_empty() {
        format!("{}{}", insert.kind_name(), index + 1)
    } else {
        insert.name.clone()
    }
}

/// Reads a side-chain key, `track.NAME` or `bus.NAME`; `None` after reporting what is wrong with it.
fn side_chain(subject: &str, node: &Node, field: &mut FieldReader<'_>) -> Option<Selector> {
    let context = field.scope.context;
    let stated = node.value.as_text().unwrap_or_default();
    let (kind, name) = stated.split_once('.').unwrap_or((stated, ""));
    let (found, names) = match kind {
        "bus" => (
            context
                .bus_index
                .get(name)
                .map(|i| Selector::Bus(BusId::at(*i))),
            &context.buses,
        ),
        "track" => (
            context
                .track(name)
                .map(|index| Selector::Track(TrackId::at(index))),
            &context.tracks,
        ),
        _ => {
            let message = format!(
                "{subject}: {KEY} is {}, but should be \"track.NAME\" or \"bus.NAME\"",
                node.value.inline()
            );
            field.wrong_at(&node.span, message);
            return None;
        }
    };
    if found.is_none() {
        let hint = field.problems.hint(name, names.iter().copied());
        let message = format!("{subject}: there is no {kind} {name:?}{hint}");
        field.wrong_at(&node.span, message);
    }
    found
}

/// Reads the value of a parameter.
fn value(parameter: &Parameter, node: &Node, field: &FieldReader<'_>) -> Result<f64, String> {
    match (parameter.unit, &node.value) {
        (Unit::Decibels | Unit::TruePeak, _) => decibels(node)
            .map(|level| level.0)
            .map_err(|message| format!("{} {message}", parameter.key)),
        (Unit::Seconds, Value::Text(_) | Value::Integer(_)) => {
            let clock = field.clock();
            let frames = clock
                .length(&node.value.inline())
                .map_err(|message| format!("{}: {message}", parameter.key))?;
            #[expect(
                clippy::cast_precision_loss,
                reason = "the range ends far below 2^53 frames"
            )]
            let seconds = frames.0 as f64 / f64::from(clock.rate.hz());
            Ok(seconds)
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "what loses digits lies outside the range"
        )]
        (Unit::Share | Unit::Hertz | Unit::Slope | Unit::Number, Value::Integer(n)) => {
            Ok(*n as f64)
        }
        (Unit::Share | Unit::Hertz | Unit::Slope | Unit::Number, Value::Number(x)) => Ok(*x),
        (unit, other) => {
            let number = other.as_text().and_then(|text| plain_number(text, unit));
            let suggestion = number.map(|number| format!(": write {number}"));
            Err(format!(
                "{} is {}, but should be {}{}",
                parameter.key,
                other.kind(),
                notation(unit),
                suggestion.unwrap_or_default()
            ))
        }
    }
}

/// Returns the number that a text states in another notation: `"80 Hz"`, `"1.2k"`, `"4:1"`, `"50 %"`.
fn plain_number(text: &str, unit: Unit) -> Option<f64> {
    let (number, rest) = leading_number(text)?;
    match (unit, rest.to_ascii_lowercase().as_str()) {
        (_, "") | (Unit::Hertz, "hz") | (Unit::Number, ":1") => Some(number),
        (Unit::Slope, rest) if rest.starts_with("db") => Some(number),
        (Unit::Hertz, "k" | "khz") => Some(number * 1000.0),
        (Unit::Share, "%") => Some(number / 100.0),
        _ => None,
    }
}

/// Returns the table of an insert: its type, and the parameters that differ from their defaults.
fn written(insert: &Insert, field: &FieldWriter<'_>) -> Table {
    let mut table = Table::default();
    let name = insert.kind_name().to_owned();
    let kind = ProcessorKind::named(&name).filter(|_| !insert.is_custom());
    match kind {
        Some(_) => table.put(TYPE, Value::Text(name)),
        None => {
            table.put(TYPE, Value::Text(CUSTOM.to_owned()));
            table.put(PROCESSOR, Value::Text(name));
        }
    }
    for parameter in kind.map_or(&[][..], |kind| kind.parameters) {
        let Some(value) = insert
            .value(parameter.key)
            .filter(|value| *value != parameter.default)
        else {
            continue;
        };
        let value = written_value(parameter, value, field);
        table.put(parameter.key, value);
    }
    if let Some(key) = insert.key.and_then(|key| field.session.part_name(key)) {
        table.put(KEY, Value::Text(key));
    }
    if insert.bypass {
        table.put(BYPASS, Value::Switch(true));
    }
    table
}

/// Returns the value of a parameter as the file states it.
fn written_value(parameter: &Parameter, value: f64, field: &FieldWriter<'_>) -> Value {
    match parameter.unit {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the range of the parameter"
        )]
        Unit::Seconds => field.time(Frames(
            (value * f64::from(field.session.rate.hz())).round() as u64
        )),
        Unit::Decibels
        | Unit::TruePeak
        | Unit::Share
        | Unit::Hertz
        | Unit::Slope
        | Unit::Number => number(value),
    }
}

/// Returns the text of a value with its unit.
fn notation(unit: Unit) -> &'static str {
    match unit {
        Unit::Decibels => "a level in dB, like -3 or -inf",
        Unit::TruePeak => "a level in dBTP, like -1",
        Unit::Seconds => "a time like \"250ms\" or \"480 frames\"",
        Unit::Share => "a number from 0 to 1",
        Unit::Hertz => "a frequency in Hz below half the sample rate",
        Unit::Slope => "6, 12, 18, 24, 30, 36, 42 or 48",
        Unit::Number => "a number",
    }
}

/// Returns the part of the reference page about inserts.
#[cfg(test)]
pub(super) fn reference() -> String {
    let mut page =
        "\n## Inserts\n\nEach insert is a table by a name of your choice, with `type`, the parameters of that \
                    processor, and `bypass = true` to keep it without effect. Where the table names one, `key` is the track \
                    or bus that steers the processor, as in `key = \"bus.dialogue\"`; without it the strip's own signal \
                    does. A key is taken after its fader, and is silent where that strip is not heard. Inserts run in order, before the fader. \
                    A parameter that is not marked as fixed can be automated.\n\n\
                    | type | parameter | value | default | meaning |\n|---|---|---|---|---|\n"
            .to_owned();
    for kind in PROCESSORS {
        page += &format!("| `{}` | | | | {} |\n", kind.name, kind.summary);
        if kind.keyed {
            page += "| | `key` | `\"track.NAME\"` or `\"bus.NAME\"` | | Track or bus that steers it. |\n";
        }
        for parameter in kind.parameters {
            let default = match parameter.unit {
                Unit::Seconds => format!("\"{}s\"", parameter.default),
                _ if parameter.default == f64::NEG_INFINITY => "\"-inf\"".to_owned(),
                _ => parameter.default.to_string(),
            };
            let (key, doc) = (parameter.key, parameter.doc);
            let fixed = if parameter.automatable { "" } else { " Fixed." };
            page += &format!(
                "| | `{key}` | {} | `{default}` | {doc}{fixed} |\n",
                notation(parameter.unit)
            );
        }
    }
    page += &format!(
        "| `{CUSTOM}` | | | | A processor that a program supplies; other programs can bypass it. |\n\
         | | `{PROCESSOR}` | text | | Name of the processor. |\n\
         | | `key` | `\"track.NAME\"` or `\"bus.NAME\"` | | Track or bus that steers it. |\n"
    );
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_notations_are_understood() {
        for (text, unit, want) in [
            ("80 Hz", Unit::Hertz, Some(80.0)),
            ("1.2k", Unit::Hertz, Some(1200.0)),
            ("2 kHz", Unit::Hertz, Some(2000.0)),
            ("4:1", Unit::Number, Some(4.0)),
            ("12 dB/oct", Unit::Slope, Some(12.0)),
            ("250 %", Unit::Share, Some(2.5)),
            ("4:1", Unit::Hertz, None),
            ("5 %", Unit::Number, None),
        ] {
            assert_eq!(plain_number(text, unit), want, "{text}");
        }
    }
}
