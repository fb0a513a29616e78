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
    use crate::{encode::Family, timecode::FrameRate, units::Frames};

    #[test]
    fn file_sets_are_numbered_by_letters() {
        let numbered = [1, 2, 26, 27, 52, 53, 702, 703].map(letters);
        assert_eq!(numbered, ["A", "B", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn a_chunk_has_one_element_a_line() {
        let metadata = Metadata {
            project: "Reel".into(),
            scene: "4B".into(),
            description: "a & b".into(),
            frame_rate: Some(FrameRate::FPS_29_97_DF),
            time_reference: Some(Frames((3 << 32) + 7)),
            family: Some(Family {
                uid: "u1".into(),
                name: "Reel stems".into(),
                index: 2,
                total: 3,
            }),
            channels: vec!["L".into(), "R".into()],
            ..Metadata::default()
        };
        let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<BWFXML>
  <IXML_VERSION>1.61</IXML_VERSION>
  <PROJECT>Reel</PROJECT>
  <SCENE>4B</SCENE>
  <NOTE>a &amp; b</NOTE>
  <SPEED>
    <MASTER_SPEED>30000/1001</MASTER_SPEED>
    <CURRENT_SPEED>30000/1001</CURRENT_SPEED>
    <TIMECODE_RATE>30000/1001</TIMECODE_RATE>
    <TIMECODE_FLAG>DF</TIMECODE_FLAG>
    <FILE_SAMPLE_RATE>48000</FILE_SAMPLE_RATE>
    <DIGITIZER_SAMPLE_RATE>48000</DIGITIZER_SAMPLE_RATE>
    <TIMESTAMP_SAMPLE_RATE>48000</TIMESTAMP_SAMPLE_RATE>
    <AUDIO_BIT_DEPTH>24</AUDIO_BIT_DEPTH>
    <TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>3</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>
    <TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>7</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>
  </SPEED>
  <FILE_SET>
    <TOTAL_FILES>3</TOTAL_FILES>
    <FAMILY_UID>u1</FAMILY_UID>
    <FAMILY_NAME>Reel stems</FAMILY_NAME>
    <FILE_SET_INDEX>B</FILE_SET_INDEX>
  </FILE_SET>
  <TRACK_LIST>
    <TRACK_COUNT>2</TRACK_COUNT>
    <TRACK>
      <CHANNEL_INDEX>1</CHANNEL_INDEX>
      <INTERLEAVE_INDEX>1</INTERLEAVE_INDEX>
      <NAME>L</NAME>
    </TRACK>
    <TRACK>
      <CHANNEL_INDEX>2</CHANNEL_INDEX>
      <INTERLEAVE_INDEX>2</INTERLEAVE_INDEX>
      <NAME>R</NAME>
    </TRACK>
  </TRACK_LIST>
</BWFXML>
";
        assert_eq!(text(&metadata, SampleRate::HZ_48000, 24), expected);
    }

    #[test]
    fn each_field_that_only_this_chunk_holds_needs_it() {
        let titled = |change: fn(&mut Metadata)| {
            let mut metadata = Metadata {
                title: "a".into(),
                ..Metadata::default()
            };
            change(&mut metadata);
            is_needed(&metadata)
        };
        assert!(!titled(|_| {}));
        assert!(titled(|m| m.frame_rate = Some(FrameRate::FPS_24)));
        assert!(titled(|m| m.family = Some(Family::default())));
        assert!(titled(|m| m.channels.push("M".into())));
        assert!(titled(|m| m.project = "a".into()));
        assert!(titled(|m| m.scene = "a".into()));
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(escaped("a<b> & \"c\"\n\u{1}"), "a&lt;b&gt; &amp; \"c\"  ");
    }
}
