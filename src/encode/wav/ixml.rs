//! `iXML` chunk: project, scene, timecode, file set and channel names as XML.

use super::super::metadata::{Metadata, plain};
use crate::units::SampleRate;
use std::fmt::{Display, Write as _};

/// Returns true if the metadata states something that only this chunk holds.
pub(super) fn is_needed(metadata: &Metadata) -> bool {
    metadata.frame_rate.is_some()
        || metadata.family.is_some()
        || !metadata.channels.is_empty()
        || !metadata.project.is_empty()
        || !metadata.scene.is_empty()
}

/// Returns the text of the chunk.
pub(super) fn text(metadata: &Metadata, rate: SampleRate, bits: u16) -> String {
    let mut xml = Xml::default();
    xml.open("BWFXML");
    xml.element("IXML_VERSION", "1.61");
    xml.text("PROJECT", &metadata.project);
    xml.text("SCENE", &metadata.scene);
    xml.text("NOTE", &metadata.description);
    speed(&mut xml, metadata, rate, bits);
    if let Some(family) = &metadata.family {
        xml.open("FILE_SET");
        xml.element("TOTAL_FILES", family.total);
        xml.text("FAMILY_UID", &family.uid);
        xml.text("FAMILY_NAME", &family.name);
        xml.element("FILE_SET_INDEX", letters(family.index));
        xml.close("FILE_SET");
    }
    if !metadata.channels.is_empty() {
        xml.open("TRACK_LIST");
        xml.element("TRACK_COUNT", metadata.channels.len());
        for (number, name) in (1..).zip(&metadata.channels) {
            xml.open("TRACK");
            xml.element("CHANNEL_INDEX", number);
            xml.element("INTERLEAVE_INDEX", number);
            xml.text("NAME", name);
            xml.close("TRACK");
        }
        xml.close("TRACK_LIST");
    }
    xml.close("BWFXML");
    xml.finish()
}

/// Writes rates and the time stamp. The stamp is split into two words, whose digits must not be
/// joined as text.
fn speed(xml: &mut Xml, metadata: &Metadata, rate: SampleRate, bits: u16) {
    xml.open("SPEED");
    if let Some(fps) = metadata.frame_rate {
        let fraction = format!("{}/{}", fps.numerator(), fps.denominator());
        xml.element("MASTER_SPEED", &fraction);
        xml.element("CURRENT_SPEED", &fraction);
        xml.element("TIMECODE_RATE", &fraction);
        let flag = if fps.is_drop_frame() { "DF" } else { "NDF" };
        xml.element("TIMECODE_FLAG", flag);
    }
    for name in [
        "FILE_SAMPLE_RATE",
        "DIGITIZER_SAMPLE_RATE",
        "TIMESTAMP_SAMPLE_RATE",
    ] {
        xml.element(name, rate.hz());
    }
    xml.element("AUDIO_BIT_DEPTH", bits);
    if let Some(at) = metadata.time_reference {
        xml.element("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", at.0 >> 32);
        xml.element("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", at.0 & 0xFFFF_FFFF);
    }
    xml.close("SPEED");
}

/// Returns a number as letters: `A` to `Z`, `AA`, as file sets are numbered.
fn letters(number: u32) -> String {
    let mut rest = number.max(1);
    let mut letters = Vec::new();
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// XML with one element a line.
struct Xml {
    text: String,
    depth: usize,
}

impl Default for Xml {
    fn default() -> Self {
        Self {
            text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            depth: 0,
        }
    }
}

impl Xml {
    fn line(&mut self, line: impl Display) {
        let indent = 2 * self.depth;
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }

    fn open(&mut self, name: &str) {
        self.line(format_args!("<{name}>"));
        self.depth += 1;
    }

    fn close(&mut self, name: &str) {
        self.depth = self.depth.saturating_sub(1);
        self.line(format_args!("</{name}>"));
    }

    fn element(&mut self, name: &str, value: impl Display) {
        self.line(format_args!("<{name}>{value}</{name}>"));
    }

    /// Writes an element with a text, unless it is empty.
    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.element(name, escaped(text));
        }
    }

    fn finish(self) -> String {
        self.text
    }
}

/// Escapes a text for XML, which does not allow control characters.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            // XML excludes these two.
            '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_sets_are_numbered_by_letters() {
        let numbered = [1, 2, 26, 27, 52, 53, 702, 703].map(letters);
        assert_eq!(numbered, ["A", "B", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escaped("a<b> & \"c\"\n\u{1}"), "a&lt;b&gt; &amp; \"c\"  ");
    }
}
