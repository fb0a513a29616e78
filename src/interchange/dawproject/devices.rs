//! Maps the built-in devices of DAWproject to inserts and back, as far as their parameters agree.

use super::super::text_file::TextFile;
use super::{
    numbers,
    xml::{self, Writer},
};
use crate::{error::Result, session::Insert, units::Decibels};
use roxmltree::Node;

/// Filters by the name of their band type.
const FILTERS: [(&str, &str); 6] = [
    ("highPass", "highpass"),
    ("lowPass", "lowpass"),
    ("bell", "bell"),
    ("lowShelf", "low-shelf"),
    ("highShelf", "high-shelf"),
    ("notch", "notch"),
];

/// Inserts of a device, and what of it is not carried.
#[derive(Debug, Default)]
pub(super) struct Mapped {
    pub inserts: Vec<Insert>,
    pub left_out: Vec<String>,
}

/// Returns the inserts of a device of a channel.
///
/// # Errors
/// `Session` for a value that is no number.
pub(super) fn read(file: &TextFile, device: Node<'_, '_>) -> Result<Mapped> {
    let kind = device.tag_name().name();
    let name = device.attribute("deviceName").unwrap_or("");
    let mut mapped = Mapped::default();
    let reader = DeviceReader { file, device };
    match kind {
        "Equalizer" => reader.equalizer(&mut mapped)?,
        "Compressor" => {
            let pairs = [
                ("Threshold", "threshold"),
                ("Ratio", "ratio"),
                ("Attack", "attack"),
                ("Release", "release"),
                ("OutputGain", "makeup"),
            ];
            reader.dynamics(
                "compressor",
                &pairs,
                &["AutoMakeup", "InputGain"],
                &mut mapped,
            )?;
        }
        "NoiseGate" => {
            let pairs = [
                ("Threshold", "threshold"),
                ("Range", "range"),
                ("Attack", "attack"),
                ("Release", "release"),
            ];
            reader.dynamics("gate", &pairs, &["Ratio"], &mut mapped)?;
        }
        "Limiter" => {
            let others = ["Attack", "Release", "InputGain", "OutputGain"];
            reader.dynamics("limiter", &[("Threshold", "ceiling")], &others, &mut mapped)?;
        }
        _ => {
            let what = format!(
                "the device {name:?} ({kind}) is not carried: render it into the stem, or set an insert in the session"
            );
            mapped.left_out.push(what);
        }
    }
    let is_bypassed = xml::child(device, "Enabled")
        .and_then(|enabled| enabled.attribute("value"))
        .is_some_and(|value| ["false", "0"].contains(&value));
    for insert in &mut mapped.inserts {
        insert.bypass = is_bypassed || insert.bypass;
    }
    Ok(mapped)
}

struct DeviceReader<'a, 'x, 'i> {
    file: &'a TextFile,
    device: Node<'x, 'i>,
}

impl DeviceReader<'_, '_, '_> {
    /// Returns a parameter of an element in the unit of an insert.
    fn value(&self, element: Node<'_, '_>, name: &'static str) -> Result<Option<f64>> {
        let Some(parameter) = xml::child(element, name) else {
            return Ok(None);
        };
        let Some(value) = xml::number(self.file, parameter, "value")? else {
            return Ok(None);
        };
        let is_level = ["Threshold", "Range", "OutputGain", "InputGain", "Gain"].contains(&name);
        Ok(Some(match parameter.attribute("unit") {
            Some("linear") if is_level && value >= 0.0 => numbers::decibels(value).0,
            Some("percent") => value / 100.0,
            _ => value,
        }))
    }

    /// Sets a parameter of an insert; what it refuses is not carried.
    fn set(&self, insert: Insert, key: &str, value: f64, mapped: &mut Mapped) -> Insert {
        match insert.clone().set(key, value) {
            Ok(changed) => changed,
            Err(e) => {
                mapped.left_out.push(format!("{e}: the default is taken"));
                insert
            }
        }
    }

    fn name(&self) -> &str {
        self.device.attribute("deviceName").unwrap_or("")
    }

    fn dynamics(
        &self,
        kind: &str,
        pairs: &[(&'static str, &str)],
        others: &[&'static str],
        mapped: &mut Mapped,
    ) -> Result<()> {
        let mut insert = Insert::new(kind)?.named(super::super::names::cleaned(self.name()));
        for (parameter, key) in pairs {
            if let Some(value) = self.value(self.device, parameter)? {
                insert = self.set(insert, key, value, mapped);
            }
        }
        for other in others {
            let Some(parameter) = xml::child(self.device, other) else {
                continue;
            };
            let value = parameter.attribute("value").unwrap_or("");
            if !["", "0", "0.0", "false"].contains(&value) {
                let what = format!("{other} of the device {:?} is not carried", self.name());
                mapped.left_out.push(what);
            }
        }
        mapped.inserts.push(insert);
        Ok(())
    }

    fn equalizer(&self, mapped: &mut Mapped) -> Result<()> {
        let name = super::super::names::cleaned(self.name());
        for (number, band) in xml::children(self.device, "Band").enumerate() {
            let kind = band.attribute("type").unwrap_or("");
            let Some((_, filter)) = FILTERS.iter().find(|(known, _)| *known == kind) else {
                let what = format!("a band of type {kind:?} of {name:?} is not carried");
                mapped.left_out.push(what);
                continue;
            };
            let own = match number {
                0 => name.clone(),
                n => format!("{name} {}", n + 1),
            };
            let mut insert = Insert::new(filter)?.named(own);
            if let Some(freq) = self.value(band, "Freq")? {
                insert = self.set(insert, "freq", freq, mapped);
            }
            if let Some(gain) = self.value(band, "Gain")?
                && insert.value("gain").is_some()
            {
                insert = self.set(insert, "gain", gain, mapped);
            }
            if let Some(q) = self.value(band, "Q")? {
                if insert.value("q").is_some() {
                    insert = self.set(insert, "q", q, mapped);
                } else if (q - std::f64::consts::FRAC_1_SQRT_2).abs() > 0.01 {
                    let what = format!(
                        "the Q of a {kind} band of {name:?} is not carried: it is a Butterworth filter"
                    );
                    mapped.left_out.push(what);
                }
            }
            if let Some(order) = band
                .attribute("order")
                .and_then(|text| text.parse::<u8>().ok())
                && insert.value("slope").is_some()
            {
                insert = self.set(insert, "slope", 6.0 * f64::from(order), mapped);
            }
            let is_off = xml::child(band, "Enabled")
                .and_then(|enabled| enabled.attribute("value"))
                .is_some_and(|value| ["false", "0"].contains(&value));
            mapped.inserts.push(insert.bypass(is_off));
        }
        for gain in ["InputGain", "OutputGain"] {
            if let Some(level) = self.value(self.device, gain)?
                && level != 0.0
            {
                mapped.inserts.push(Insert::trim(Decibels(level)));
            }
        }
        Ok(())
    }
}

/// Writes an insert as a device. Returns what of it is not carried.
pub(super) fn write(xml: &mut Writer, insert: &Insert) -> Option<String> {
    let kind = insert.kind_name();
    let name = insert.called().to_owned();
    let value = |key: &str| insert.value(key).unwrap_or_default();
    let mut left_out: Vec<String> = Vec::new();
    if insert.key.is_some() {
        left_out.push("its key".to_owned());
    }
    if insert.curves().next().is_some() {
        left_out.push("its automation".to_owned());
    }
    // The parameters that the device has under another name; others are noted unless they have their default.
    let (element, pairs): (&'static str, &[(&str, &str, &str)]) = match kind {
        "compressor" => (
            "Compressor",
            &[
                ("Attack", "attack", "seconds"),
                ("OutputGain", "makeup", "decibel"),
                ("Ratio", "ratio", "linear"),
                ("Release", "release", "seconds"),
                ("Threshold", "threshold", "decibel"),
            ],
        ),
        "gate" => (
            "NoiseGate",
            &[
                ("Attack", "attack", "seconds"),
                ("Range", "range", "decibel"),
                ("Release", "release", "seconds"),
                ("Threshold", "threshold", "decibel"),
            ],
        ),
        "limiter" => ("Limiter", &[("Threshold", "ceiling", "decibel")]),
        _ => ("Equalizer", &[]),
    };
    let band = FILTERS.iter().find(|(_, filter)| *filter == kind);
    if element == "Equalizer" && band.is_none() {
        return Some(format!("insert {name:?} ({kind}) is not carried"));
    }
    let device = [
        ("deviceName", name.as_str()),
        ("deviceRole", "audioFX"),
        ("loaded", "true"),
    ];
    xml.begin(element, &device);
    let enabled = if insert.bypass { "false" } else { "true" };
    xml.element("Enabled", &[("value", enabled)]);
    let mut known: Vec<&str> = pairs.iter().map(|(_, key, _)| *key).collect();
    for (parameter, key, unit) in pairs {
        let value = value(key).to_string();
        xml.element(parameter, &[("unit", unit), ("value", &value)]);
    }
    if let Some((kind, _)) = band {
        let order = insert.value("slope").map(|slope| (slope / 6.0).to_string());
        let mut attributes = vec![("type", *kind)];
        if let Some(order) = &order {
            attributes.push(("order", order));
        }
        xml.begin("Band", &attributes);
        let parameters = [
            ("Freq", "freq", "hertz"),
            ("Gain", "gain", "decibel"),
            ("Q", "q", "linear"),
        ];
        for (parameter, key, unit) in parameters {
            if let Some(value) = insert.value(key) {
                xml.element(parameter, &[("unit", unit), ("value", &value.to_string())]);
            }
        }
        xml.end();
        known.extend(["freq", "gain", "q", "slope"]);
    }
    xml.end();
    if let Ok(default) = Insert::new(kind)
        && let Some(processor) = crate::dsp::ProcessorKind::named(kind)
    {
        for parameter in processor.parameters {
            let key = parameter.key;
            if !known.contains(&key) && insert.value(key) != default.value(key) {
                left_out.push(format!("{key} of {}", value(key)));
            }
        }
    }
    (!left_out.is_empty())
        .then(|| format!("insert {name:?}: {} is not carried", left_out.join(", ")))
}
