//! Strips and automation of a session file.

use super::{
    build::Context,
    clock::Zero,
    document::{Node, Text, Value},
    fields::{Fields, decibels},
};
use crate::{
    curve::{Curve, Shape},
    session::{BusId, Send, Strip},
    units::{Decibels, Frames, Pan},
};
use std::{fmt::Display, ops::Range, str::FromStr};

/// The controls of a track or a bus; `to` is the key that says where it goes.
pub(super) fn strip(
    fields: &Fields<'_>,
    to: &'static str,
    context: &Context<'_>,
    zero: Zero,
    strip: &mut Strip,
    text: &mut Text,
) {
    strip.gain = fields.gain("gain", text).unwrap_or_default();
    strip.pan = fields.pan("pan", text).unwrap_or_default();
    strip.mute = fields.switch("mute", text);
    strip.solo = fields.switch("solo", text);
    (strip.gain_curve, strip.pan_curve) = automation(fields, context, zero, text);
    let named = fields.string(to, text);
    strip.to = named.and_then(|name| bus(name, fields.span(to), fields.who(), context, text)).or(strip.to);
    for (key, node) in fields.table("send", text).into_iter().flat_map(|t| &t.entries) {
        let to = bus(&key.name, key.span.clone(), fields.who(), context, text);
        match decibels(node) {
            Ok(gain) => strip.sends.extend(to.map(|to| Send { to, gain })),
            Err(what) => text.say(node.span.clone(), format!("{}: send to {:?} {what}", fields.who(), key.name)),
        }
    }
}

/// The bus of a name.
pub(super) fn bus(name: &str, span: Range<usize>, who: &str, context: &Context<'_>, text: &mut Text) -> Option<BusId> {
    let index = context.bus_index.get(name);
    if index.is_none() {
        let hint = text.hint(name, context.buses.iter().copied());
        text.say(span, format!("{who}: there is no bus {name:?}{hint}"));
    }
    index.map(|i| BusId(*i))
}

/// `automation.gain = ["0s -inf", "4s 0 sine"]` and `automation.pan = ["0s L40", "20s R40"]`
pub(super) fn automation(
    fields: &Fields<'_>,
    context: &Context<'_>,
    zero: Zero,
    text: &mut Text,
) -> (Curve<Decibels>, Curve<Pan>) {
    let Some(table) = fields.table("automation", text) else { return (Curve::new(), Curve::new()) };
    let master = fields.who() == "master";
    let kind = if master { "master_automation" } else { "automation" };
    let inner = Fields::new(kind, format!("{}, automation", fields.who()), table);
    let gain = curve(&inner, "gain", context, zero, text);
    let pan = if master { Curve::new() } else { curve(&inner, "pan", context, zero, text) };
    inner.finish(text);
    (gain, pan)
}

fn curve<T: FromStr<Err: Display>>(
    fields: &Fields<'_>,
    key: &'static str,
    context: &Context<'_>,
    zero: Zero,
    text: &mut Text,
) -> Curve<T> {
    let mut curve = Curve::new();
    for node in fields.list(key, text) {
        match point(node, context, zero) {
            Ok((at, value, shape)) => curve = curve.point(at, value, shape),
            Err(what) => text.say(node.span.clone(), format!("{} {key}: {what}", fields.who())),
        }
    }
    curve
}

/// `"4s 0 sine"`: time, value, and how it arrives there.
fn point<T: FromStr<Err: Display>>(
    node: &Node,
    context: &Context<'_>,
    zero: Zero,
) -> Result<(Frames, T, Shape), String> {
    let Value::Text(written) = &node.value else {
        return Err(format!("a point is {}, but should be like \"4s -6 sine\"", node.value.kind()));
    };
    let words: Vec<&str> = written.split_whitespace().collect();
    let (time, value, shape) = match words.as_slice() {
        [time, value] => (time, value, &"linear"),
        [time, value, shape] => (time, value, shape),
        _ => return Err(format!("{written:?} should be a time, a value and perhaps a shape, like \"4s -6 sine\"")),
    };
    let at = context.clock.moment(time, zero)?;
    let value = value.parse().map_err(|e| format!("{e}"))?;
    Ok((at, value, shape.parse().map_err(|e| format!("{e}"))?))
}
