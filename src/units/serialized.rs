//! Units in formats of `serde`: numbers, and text for levels that JSON has no number for.
//!
//! −∞ dB is written as `"-inf"`. Text is read as session files state it, so `"-6 dB"` is read as well.

use super::{Dbfs, Dbtp, Decibels, Frames, Gain, Lufs, NotANumber, Pan, SampleRate};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, Visitor},
};
use std::fmt;

/// Writes a number, or the text of one that is not finite.
fn write<S: Serializer>(value: f64, to: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        to.serialize_f64(value)
    } else {
        to.collect_str(&value)
    }
}

/// Reads a number, or the text of one, as a function reads it.
struct NumberOrText(fn(&str) -> Result<f64, NotANumber>);

impl Visitor<'_> for NumberOrText {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or \"-inf\"")
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    #[expect(clippy::cast_precision_loss, reason = "levels are small numbers")]
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "levels are small numbers")]
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<f64, E> {
        self.0(text).map_err(E::custom)
    }
}

fn level(text: &str) -> Result<f64, NotANumber> {
    text.parse::<Decibels>().map(|level| level.0)
}

fn position(text: &str) -> Result<f64, NotANumber> {
    text.parse::<Pan>().map(|pan| pan.0)
}

macro_rules! numbers {
    ($($unit:ident: $parse:ident,)+) => {$(
        impl Serialize for $unit {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                write(self.0, to)
            }
        }

        impl<'de> Deserialize<'de> for $unit {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any(NumberOrText($parse)).map(Self)
            }
        }
    )+};
}

numbers! {
    Decibels: level,
    Dbfs: level,
    Dbtp: level,
    Lufs: level,
    Pan: position,
}

/// A linear gain is a number, which must be finite.
impl Serialize for Gain {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Gain {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        f64::deserialize(from).map(Self)
    }
}

impl Serialize for Frames {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Frames {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        u64::deserialize(from).map(Self)
    }
}

/// A rate is its number of hertz.
impl Serialize for SampleRate {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.is_whole() {
            to.serialize_u32(self.hz())
        } else {
            to.serialize_f64(self.as_f64())
        }
    }
}

impl<'de> Deserialize<'de> for SampleRate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::from_f64(f64::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_back_as_they_went() {
        fn back<T: Serialize + for<'a> Deserialize<'a>>(unit: &T) -> (String, T) {
            let json = serde_json::to_string(unit).unwrap();
            let read = serde_json::from_str(&json).unwrap();
            (json, read)
        }
        let levels = [Decibels(-6.5), Decibels(3.0), Decibels::SILENCE];
        let json = levels.map(|level| {
            let (json, read) = back(&level);
            assert_eq!(read, level);
            json
        });
        assert_eq!(json, ["-6.5", "3.0", "\"-inf\""]);
        assert_eq!(
            back(&Frames(u64::MAX)),
            (u64::MAX.to_string(), Frames(u64::MAX))
        );
        assert_eq!(
            back(&SampleRate::HZ_44100),
            ("44100".to_owned(), SampleRate::HZ_44100)
        );
        assert_eq!(back(&Pan(-0.25)), ("-0.25".to_owned(), Pan(-0.25)));
        assert_eq!(
            serde_json::from_str::<Decibels>("\"-6 dB\"").unwrap(),
            Decibels(-6.0)
        );
        assert_eq!(
            serde_json::from_str::<Decibels>("-3").unwrap(),
            Decibels(-3.0)
        );
        assert!(serde_json::from_str::<Decibels>("\"loud\"").is_err());
        assert!(serde_json::from_str::<SampleRate>("0").is_err());
    }
}
