//! `--preset NAME`: sets rate, format, dither, loudness target and ceiling in one word.

use super::args::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use soundtrack::{Dbtp, Deliverable, Format, LoudnessTarget, Lufs, SampleRate, encode::Dither};
use std::path::Path;

/// A preset of the command line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preset {
    name: &'static str,
    /// `None` keeps the rate of the session or the stems.
    rate: Option<SampleRate>,
    /// Bits of an integer file.
    bits: u8,
    loudness: Loudness,
}

/// Loudness that a preset brings the mix to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loudness {
    /// The mix keeps its level.
    AsMixed,
    /// The target of the library that has the name of the preset.
    Named,
    /// Integrated loudness in LUFS, and its tolerance in LU.
    Own(f64, f64),
}

/// Ceiling of presets without a target of the library, in dBTP.
const CEILING: f64 = -1.0;

/// All presets. The CD has the format of the Red Book; -16 LUFS and -1 dBTP are what Apple Podcasts asks for.
const PRESETS: [Preset; 8] = [
    preset("cd", Some(SampleRate::HZ_44100), 16, Loudness::AsMixed),
    preset("spotify", None, 24, Loudness::Named),
    preset("apple", None, 24, Loudness::Named),
    preset("youtube", None, 24, Loudness::Named),
    preset("podcast", None, 24, Loudness::Own(-16.0, 1.0)),
    preset("ebu-r128", Some(SampleRate::HZ_48000), 24, Loudness::Named),
    preset("atsc-a85", Some(SampleRate::HZ_48000), 24, Loudness::Named),
    preset("netflix", Some(SampleRate::HZ_48000), 24, Loudness::Named),
];

const fn preset(
    name: &'static str,
    rate: Option<SampleRate>,
    bits: u8,
    loudness: Loudness,
) -> Preset {
    Preset {
        name,
        rate,
        bits,
        loudness,
    }
}

impl Preset {
    /// Sets the options of the preset that are not given.
    pub fn apply(self, args: &mut Args) {
        args.rate = args.rate.or(self.rate);
        let output = args.output.clone().unwrap_or_default();
        args.format = args.format.or(Some(self.format(&output)));
        args.dither = args.dither.or(self.dither());
        args.limit = args.limit.or(Some(self.ceiling().0));
        let target = self.target();
        if args.target.is_none() && target.is_some() {
            args.target = target;
            // A check judges the mix as it is.
            args.fit = !args.check;
        }
    }

    /// Sets the values of the preset in a deliverable of audio; the extension of its file decides between WAV and FLAC.
    pub fn apply_to(self, deliverable: &mut Deliverable) {
        deliverable.format = self.format(&deliverable.file);
        deliverable.rate = self.rate.or(deliverable.rate);
        deliverable.dither = self.dither();
        deliverable.limit = Some(self.ceiling());
        if let Some(target) = self.target() {
            deliverable.loudness = Some(target);
            deliverable.fit = true;
            deliverable.gain_of = None;
        }
    }

    /// Returns the format of a file of this name.
    fn format(self, path: &Path) -> Format {
        let is_flac = Format::of_file_name(path) == Some(Format::FLAC_24);
        match (self.bits, is_flac) {
            (16, false) => Format::WAV_16,
            (16, true) => Format::FLAC_16,
            (_, false) => Format::WAV_24,
            (_, true) => Format::FLAC_24,
        }
    }

    /// Returns the dither: with 24 bits its noise would be below that of any converter.
    fn dither(self) -> Option<Dither> {
        (self.bits < 24).then(|| "white".parse().ok()).flatten()
    }

    fn ceiling(self) -> Dbtp {
        let of_target = self.target().and_then(|target| target.true_peak);
        of_target.unwrap_or(Dbtp(CEILING))
    }

    /// Returns the name on the command line.
    pub fn name(self) -> &'static str {
        self.name
    }

    pub fn target(self) -> Option<LoudnessTarget> {
        match self.loudness {
            Loudness::AsMixed => None,
            Loudness::Named => self.name.parse().ok(),
            Loudness::Own(loudness, tolerance) => Some(
                LoudnessTarget::new(Lufs(loudness))
                    .named(self.name)
                    .tolerance(tolerance)
                    .true_peak(Dbtp(CEILING)),
            ),
        }
    }
}

/// Returns the parser of the option.
pub fn parser() -> impl TypedValueParser<Value = Preset> {
    PossibleValuesParser::new(PRESETS.map(|preset| preset.name)).map(|name| {
        let found = PRESETS.into_iter().find(|preset| preset.name == name);
        // The parser has admitted only names of the table.
        let [first, ..] = PRESETS;
        found.unwrap_or(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixdown::args::CommandLine;
    use clap::Parser as _;

    fn options(line: &str) -> Args {
        let line = std::iter::once("mixdown").chain(line.split(' '));
        let mut args = CommandLine::parse_from(line).args;
        args.apply_preset();
        args
    }

    #[test]
    fn a_cd_has_44100_hz_16_bits_dither_and_a_ceiling() {
        let cd = options("--preset cd a.wav");
        assert_eq!(
            (cd.rate, cd.format, cd.dither, cd.limit, cd.target, cd.fit),
            (
                Some(SampleRate::HZ_44100),
                Some(Format::WAV_16),
                "white".parse().ok(),
                Some(-1.0),
                None,
                false
            )
        );
        assert_eq!(
            options("--preset cd -o a.flac a.wav").format,
            Some(Format::FLAC_16)
        );
    }

    #[test]
    fn given_options_win() {
        let own = options("--preset netflix --rate 96000 --limit=-3 --format wav32f a.wav");
        assert_eq!(own.rate.map(SampleRate::hz), Some(96_000));
        assert_eq!(
            (own.limit, own.format, own.fit),
            (Some(-3.0), Some(Format::WAV_32F), true)
        );
        let own = options("--preset netflix --target spotify a.wav");
        assert_eq!(own.target.unwrap().name, "spotify");
        assert!(!options("--preset netflix --check a.wav").fit);
    }

    #[test]
    fn every_preset_has_its_target_and_its_ceiling() {
        let levels = PRESETS.map(|preset| {
            let options = options(&format!("--preset {} a.wav", preset.name));
            let loudness = options.target.and_then(|target| target.integrated);
            (preset.name, loudness.map(|l| l.0), options.limit)
        });
        assert_eq!(
            levels,
            [
                ("cd", None, Some(-1.0)),
                ("spotify", Some(-14.0), Some(-1.0)),
                ("apple", Some(-16.0), Some(-1.0)),
                ("youtube", Some(-14.0), Some(-1.0)),
                ("podcast", Some(-16.0), Some(-1.0)),
                ("ebu-r128", Some(-23.0), Some(-1.0)),
                ("atsc-a85", Some(-24.0), Some(-2.0)),
                ("netflix", Some(-27.0), Some(-2.0)),
            ]
        );
    }
}
