//! The JSON schema of session files, made from the table of keys.

use super::loudness::LEVELS;
use super::{
    Load, inserts,
    keys::{self, KeySpec, Kind, TableSpec},
    tree::{Node, Table, Value},
    values, write_json,
};
use crate::{
    dsp::{PROCESSORS, ProcessorKind, Unit},
    measure::LoudnessTarget,
};

impl Load {
    /// Returns the JSON schema (draft 2020-12) of session files, for editors and for programs that write them.
    /// `examples/session.schema.json` is a copy.
    ///
    /// ```
    /// let schema = soundtrack::Load::schema();
    /// assert!(schema.contains("\"https://json-schema.org/draft/2020-12/schema\""));
    /// ```
    #[must_use]
    pub fn schema() -> String {
        let mut schema = Table::default();
        schema.put(
            "$schema",
            text("https://json-schema.org/draft/2020-12/schema"),
        );
        schema.put("title", text("A session of soundtrack"));
        schema.put("description", text("The session file, as TOML or JSON."));
        schema.entries.extend(table(&keys::SESSION).entries);
        let mut definitions = shared_definitions();
        // The first table is the session itself.
        for other in keys::tables().into_iter().skip(1) {
            let mut definition = object([
                ("title", text(other.heading)),
                ("description", text(other.doc)),
            ]);
            definition.entries.extend(table(other).entries);
            definitions.put(other.name, Value::Table(definition));
        }
        schema.put("$defs", Value::Table(definitions));
        write_json::text(&schema)
    }
}

/// Returns the schema of one kind of table.
fn table(spec: &'static TableSpec) -> Table {
    let mut properties = Table::default();
    for key in spec.keys() {
        properties.put(key.name, Value::Table(property(key)));
    }
    let mut schema = object([
        ("type", text("object")),
        ("additionalProperties", Value::Switch(false)),
        ("properties", Value::Table(properties)),
    ]);
    if spec
        .keys()
        .any(|key| matches!(key.kind, Kind::InsertPoints))
    {
        // The other way to write them: `"insert.comp.threshold" = [...]`.
        let dotted = object([("^insert\\.", Value::Table(texts()))]);
        schema.put("patternProperties", Value::Table(dotted));
    }
    let required: Vec<Value> = spec
        .keys()
        .filter(|key| key.required)
        .map(|key| text(key.name))
        .collect();
    if !required.is_empty() {
        schema.put("required", list(required));
    }
    schema
}

/// Returns the schema of one key.
fn property(key: &KeySpec) -> Table {
    let mut property = object([("description", text(&description(key)))]);
    property.entries.extend(kind(&key.kind).entries);
    property
}

fn description(key: &KeySpec) -> String {
    let mut description = key.doc.to_owned();
    if !key.unit.is_empty() {
        description += &format!(" Unit: {}.", key.unit);
    }
    if let Some(default) = key.default {
        description += &format!(" Default: {default}.");
    }
    description
}

fn kind(kind: &Kind) -> Table {
    match kind {
        Kind::Text | Kind::Timecode => object([("type", text("string"))]),
        Kind::Language => pattern("^[\\p{L}\\p{N}_-]{1,35}$"),
        Kind::Dither => pattern("^(white|high-pass|weighted)( [0-9]+)?$"),
        Kind::Switch => object([("type", text("boolean"))]),
        Kind::Count { low, high } => object([
            ("type", text("integer")),
            ("minimum", Value::Integer((*low).into())),
            ("maximum", Value::Integer((*high).into())),
        ]),
        Kind::Number { low, high } => number(*low, *high),
        Kind::Target => {
            let names: Vec<&str> = LoudnessTarget::names().collect();
            any_of([number(LEVELS.0, LEVELS.1), names_of(&names)])
        }
        Kind::Ceiling => number(-60.0, 0.0),
        Kind::Level => reference("gain"),
        Kind::Pan => reference("pan"),
        Kind::Length => reference("length"),
        Kind::Position => reference("place"),
        Kind::Fade => reference("fade"),
        Kind::Markers => reference("marker"),
        Kind::Choice(names) => names_of(names),
        Kind::FrameRate => {
            let numbers = keys::FRAME_RATES
                .iter()
                .filter_map(|name| name.parse().ok())
                .map(values::number);
            any_of([
                names_of(keys::FRAME_RATES),
                object([("enum", list(numbers))]),
            ])
        }
        Kind::Texts => any_of([object([("type", text("string"))]), texts()]),
        Kind::Points => texts(),
        Kind::Sends => map_of(reference("gain")),
        Kind::InsertPoints => map_of(map_of(texts())),
        Kind::Inserts => {
            let built_in = PROCESSORS.iter().map(|kind| insert(kind));
            map_of(any_of(built_in.chain([custom_insert()])))
        }
        Kind::Table(table) => reference(table.name),
        Kind::Tables(table) => map_of(reference(table.name)),
    }
}

/// Returns the schema of an insert with one kind of processor.
fn insert(kind: &ProcessorKind) -> Table {
    let mut properties = Table::default();
    properties.put(
        inserts::TYPE,
        Value::Table(object([("const", text(kind.name))])),
    );
    for parameter in kind.parameters {
        let value = match parameter.unit {
            Unit::Decibels | Unit::TruePeak => reference("gain"),
            Unit::Seconds => reference("length"),
            Unit::Share | Unit::Hertz | Unit::Slope | Unit::Number => {
                number(parameter.range.0, parameter.range.1)
            }
        };
        let mut property = object([("description", text(parameter.doc))]);
        property.entries.extend(value.entries);
        properties.put(parameter.key, Value::Table(property));
    }
    insert_schema(
        kind.name,
        kind.summary,
        properties,
        kind.keyed,
        &[inserts::TYPE],
    )
}

/// Returns the schema of an insert whose processor a program supplies.
fn custom_insert() -> Table {
    let mut properties = Table::default();
    properties.put(
        inserts::TYPE,
        Value::Table(object([("const", text(inserts::CUSTOM))])),
    );
    properties.put(
        inserts::PROCESSOR,
        Value::Table(object([
            ("description", text("Name of the processor.")),
            ("type", text("string")),
        ])),
    );
    insert_schema(
        inserts::CUSTOM,
        "A processor that a program supplies.",
        properties,
        true,
        &[inserts::TYPE, inserts::PROCESSOR],
    )
}

/// Returns the schema of an insert with these properties, and those that all have.
fn insert_schema(
    name: &str,
    summary: &str,
    mut properties: Table,
    is_keyed: bool,
    required: &[&str],
) -> Table {
    if is_keyed {
        let pattern = object([
            (
                "description",
                text("Track or bus that steers the processor."),
            ),
            ("type", text("string")),
            ("pattern", text("^(track|bus)\\.")),
        ]);
        properties.put(inserts::KEY, Value::Table(pattern));
    }
    properties.put(
        inserts::BYPASS,
        Value::Table(object([("type", text("boolean"))])),
    );
    object([
        ("title", text(name)),
        ("description", text(summary)),
        ("type", text("object")),
        ("additionalProperties", Value::Switch(false)),
        ("properties", Value::Table(properties)),
        ("required", list(required.iter().map(|key| text(key)))),
    ])
}

/// Returns the definitions that keys of several tables refer to.
fn shared_definitions() -> Table {
    let number_up_to = |maximum| {
        object([
            ("type", text("number")),
            ("maximum", Value::Integer(maximum)),
        ])
    };
    let string = || object([("type", text("string"))]);
    let frames = || object([("type", text("integer")), ("minimum", Value::Integer(0))]);
    let described = |description: &str, schema: Table| {
        let mut described = object([("description", text(description))]);
        described.entries.extend(schema.entries);
        Value::Table(described)
    };
    object([
        (
            "gain",
            described("A level in dB.", any_of([number_up_to(200), string()])),
        ),
        (
            "pan",
            Value::Table(any_of([
                number(-1.0, 1.0),
                pattern("^\\s*([CcLlRr][0-9.]*|[-+0-9.eE]+)\\s*$"),
            ])),
        ),
        (
            "length",
            described(
                "\"12.5s\", \"2m20s\", \"250ms\", frames, or mm:ss:ff.",
                any_of([frames(), string()]),
            ),
        ),
        (
            "place",
            described(
                "A time, frames, a timecode or \"origin\".",
                any_of([frames(), string()]),
            ),
        ),
        (
            "fade",
            described(
                "A length and perhaps a shape: \"2s equal-power\". Shapes: linear, equal-power, between, \
                 raised-cosine, square-root, decibel-linear.",
                any_of([frames(), string()]),
            ),
        ),
        ("marker", Value::Table(map_of(string()))),
    ])
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Table {
    let mut table = Table::default();
    for (key, value) in entries {
        table.put(key, value);
    }
    table
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(
        values
            .into_iter()
            .map(|value| Node { value, span: 0..0 })
            .collect(),
    )
}

fn reference(definition: &str) -> Table {
    object([("$ref", text(&format!("#/$defs/{definition}")))])
}

fn pattern(pattern: &str) -> Table {
    object([("type", text("string")), ("pattern", text(pattern))])
}

fn number(low: f64, high: f64) -> Table {
    object([
        ("type", text("number")),
        ("minimum", values::number(low)),
        ("maximum", values::number(high)),
    ])
}

fn names_of(names: &[&str]) -> Table {
    object([("enum", list(names.iter().map(|name| text(name))))])
}

fn any_of(schemas: impl IntoIterator<Item = Table>) -> Table {
    object([("anyOf", list(schemas.into_iter().map(Value::Table)))])
}

/// Returns the schema of a list of texts.
fn texts() -> Table {
    object([
        ("type", text("array")),
        ("items", Value::Table(object([("type", text("string"))]))),
    ])
}

/// Returns the schema of an object with any keys, whose values have one schema.
fn map_of(schema: Table) -> Table {
    object([
        ("type", text("object")),
        ("additionalProperties", Value::Table(schema)),
    ])
}
