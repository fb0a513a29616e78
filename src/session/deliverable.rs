//! Deliverables: the files to deliver from one session, as data.

use super::{
    id::{BusId, CueId},
    selector::Selector,
    source_text::KeySpans,
};
use crate::{
    curve::Fade,
    encode::{Dither, Format},
    error::HIGHEST_GAIN_DB,
    layout::Layout,
    measure::LoudnessTarget,
    units::{Dbtp, Decibels, Frames, SampleRate},
};
use std::{
    ops::{Range, RangeFrom},
    path::{Path, PathBuf},
};

/// A stretch of a timeline, with or without an end of its own.
///
/// ```
/// use soundtrack::{Excerpt, Frames};
/// let spot = Excerpt::from(Frames(0)..Frames(1_440_000));
/// assert_eq!((spot.start, spot.end), (Frames(0), Some(Frames(1_440_000))));
/// assert_eq!(Excerpt::from(Frames(48_000)..).end, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The first frame.
    pub start: Frames,
    /// The frame after the last one; `None` means the end of the timeline.
    pub end: Option<Frames>,
}

impl From<Range<Frames>> for Excerpt {
    fn from(range: Range<Frames>) -> Self {
        Self {
            start: range.start,
            end: Some(range.end),
        }
    }
}

impl From<RangeFrom<Frames>> for Excerpt {
    fn from(range: RangeFrom<Frames>) -> Self {
        Self {
            start: range.start,
            end: None,
        }
    }
}

/// A file to deliver, or a set of them: the mix, one file for each of several buses, or one file for each cue.
///
/// ```
/// use soundtrack::{Deliverable, Format};
/// let full = Deliverable::new("full", "out/{title}.wav").format(Format::WAV_24).lang("en");
/// assert!(!full.album && full.stems.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Deliverable {
    /// Its name, unique among deliverables.
    pub name: String,
    /// The file to write, with `{title}`, `{cue}`, `{bus}`, `{lang}` and `{nn}` (two digits, counted from 1) to fill in;
    /// see [`Session::outputs`](crate::Session::outputs).
    pub file: PathBuf,
    /// The sample format.
    pub format: Format,
    /// The language that replaces `{lang}` in the names of stems and of the file; `None` means the session's.
    pub lang: Option<String>,
    /// The parts of the session that are muted in it.
    pub mute: Vec<Selector>,
    /// The only parts of the session that are heard in it, in place of those that the session solos; empty means the
    /// session's. In an album only buses can be soloed.
    pub solo: Vec<Selector>,
    /// One file for each of these buses instead of one mix.
    pub stems: Vec<BusId>,
    /// One file for every cue, whole and from its own start, instead of one mix.
    pub album: bool,
    /// Listings beside the files of an album: `{album title}.cue` for players and CD programs, and
    /// `album.json`.
    pub listing: bool,
    /// A music cue sheet instead of audio: CSV or JSON, by the extension of the file.
    pub cue_sheet: bool,
    /// A report of the whole delivery instead of audio: a page or JSON, by the extension of the file. It covers the
    /// deliverables that are written in the same run.
    pub report: bool,
    /// The loudness and true peak to check; for an album, of all its cues together.
    pub loudness: Option<LoudnessTarget>,
    /// Applies one gain so that the file meets `loudness`. Through a limiter of the master, the gain is applied before it,
    /// as [`Session::fit`](crate::Session::fit) does.
    pub fit: bool,
    /// The level of its files: the master's fader is raised by it, before the limiter; stems are scaled by it.
    pub gain: Decibels,
    /// The name of the deliverable whose level it takes: the gain that `fit` found for that one, or else its `gain`. With
    /// the gain of the mix, stems and other versions add up to it.
    pub gain_of: Option<String>,
    /// The cue that is rendered whole, from its own start, in place of the session's timeline; its muted tracks stay silent.
    pub cue: Option<CueId>,
    /// The stretch that is written, counted from the start of the session or of `cue`. Past the end of the timeline the file
    /// is silent.
    pub range: Option<Excerpt>,
    /// The number of times `cue` or `range` is written in a row, 1 to 10,000. Every pass has the same samples, before fades
    /// and dither.
    pub loops: u32,
    /// Fade at the start of the file, after the limiter.
    pub fade_in: Fade,
    /// Fade at the end of the file.
    pub fade_out: Fade,
    /// The sample rate of the file; `None` means the session's. The mix is rendered at this rate.
    pub rate: Option<SampleRate>,
    /// The layout of the file; `None` means the session's. The mix is rendered in this layout.
    pub layout: Option<Layout>,
    /// The ceiling of the true-peak limiter; `None` means that of the master.
    pub limit: Option<Dbtp>,
    /// The dither of the file. `None` means that of the master, but no dither for stems, so that they add up to the mix.
    pub dither: Option<Dither>,
    pub(crate) written: KeySpans,
}

/// Largest number of times that a deliverable repeats its part.
pub(crate) const MAX_LOOPS: u32 = 10_000;

impl Default for Deliverable {
    fn default() -> Self {
        Self {
            name: String::new(),
            file: PathBuf::new(),
            format: Format::default(),
            lang: None,
            mute: Vec::new(),
            solo: Vec::new(),
            stems: Vec::new(),
            album: false,
            listing: false,
            cue_sheet: false,
            report: false,
            loudness: None,
            fit: false,
            gain: Decibels::default(),
            gain_of: None,
            cue: None,
            range: None,
            loops: 1,
            fade_in: Fade::default(),
            fade_out: Fade::default(),
            rate: None,
            layout: None,
            limit: None,
            dither: None,
            written: KeySpans::default(),
        }
    }
}

impl Deliverable {
    /// Creates a deliverable of the whole mix as 24-bit WAV.
    pub fn new(name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            file: file.into(),
            ..Self::default()
        }
    }

    /// Sets the sample format.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets the language.
    #[must_use]
    pub fn lang(mut self, lang: impl Into<String>) -> Self {
        self.lang = Some(lang.into());
        self
    }

    /// Mutes a part of the session in it.
    #[must_use]
    pub fn mute(mut self, part: impl Into<Selector>) -> Self {
        self.mute.push(part.into());
        self
    }

    /// Solos a part of the session in it.
    #[must_use]
    pub fn solo(mut self, part: impl Into<Selector>) -> Self {
        self.solo.push(part.into());
        self
    }

    /// Writes one file for each of these buses.
    #[must_use]
    pub fn stems(mut self, buses: impl IntoIterator<Item = BusId>) -> Self {
        self.stems.extend(buses);
        self
    }

    /// Writes one file for each cue, or not.
    #[must_use]
    pub fn album(mut self, album: bool) -> Self {
        self.album = album;
        self
    }

    /// Writes listings beside the files of an album, or not.
    #[must_use]
    pub fn listing(mut self, listing: bool) -> Self {
        self.listing = listing;
        self
    }

    /// Writes a music cue sheet instead of audio, or not.
    #[must_use]
    pub fn cue_sheet(mut self, cue_sheet: bool) -> Self {
        self.cue_sheet = cue_sheet;
        self
    }

    /// Sets the level of its files.
    #[must_use]
    pub fn gain(mut self, gain: Decibels) -> Self {
        self.gain = gain;
        self
    }

    /// Takes the level of another deliverable.
    #[must_use]
    pub fn gain_of(mut self, name: impl Into<String>) -> Self {
        self.gain_of = Some(name.into());
        self
    }

    /// Renders one cue whole, from its own start.
    #[must_use]
    pub fn cue(mut self, cue: CueId) -> Self {
        self.cue = Some(cue);
        self
    }

    /// Writes a stretch of the timeline.
    #[must_use]
    pub fn range(mut self, range: impl Into<Excerpt>) -> Self {
        self.range = Some(range.into());
        self
    }

    /// Writes the cue or the range a number of times in a row.
    ///
    /// ```
    /// use soundtrack::{Deliverable, Delivery, Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
    /// let folder = tempfile::tempdir()?;
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("bed", Memory::new(spec, vec![vec![0.25; 1000]])?));
    /// let bar = Deliverable::new("bar", folder.path().join("bar.wav"));
    /// mix.deliverables.push(bar.range(Frames(100)..Frames(300)).loops(4));
    /// let done = Delivery::new().run(&mix)?;
    /// assert_eq!(done.deliverables[0].files[0].report.frames, 800);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn loops(mut self, loops: u32) -> Self {
        self.loops = loops;
        self
    }

    /// Fades the file in.
    #[must_use]
    pub fn fade_in(mut self, fade: Fade) -> Self {
        self.fade_in = fade;
        self
    }

    /// Fades the file out.
    #[must_use]
    pub fn fade_out(mut self, fade: Fade) -> Self {
        self.fade_out = fade;
        self
    }

    /// Sets the sample rate.
    #[must_use]
    pub fn rate(mut self, rate: SampleRate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Sets the layout.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = Some(layout);
        self
    }

    /// Sets the ceiling of the limiter.
    #[must_use]
    pub fn limit(mut self, ceiling: Dbtp) -> Self {
        self.limit = Some(ceiling);
        self
    }

    /// Writes a report of the whole delivery instead of audio, or not.
    #[must_use]
    pub fn report(mut self, report: bool) -> Self {
        self.report = report;
        self
    }

    /// Returns the key that makes the file a document instead of audio, and the name of the document.
    pub(crate) fn document(&self) -> Option<(&'static str, &'static str)> {
        match (self.cue_sheet, self.report) {
            (true, _) => Some(("cue_sheet", "a cue sheet")),
            (_, true) => Some(("report", "a report")),
            _ => None,
        }
    }

    /// Returns true if the files are cut from a longer timeline, repeated or faded.
    pub(crate) fn is_excerpt(&self) -> bool {
        let is_faded = [self.fade_in, self.fade_out]
            .iter()
            .any(|fade| fade.length > Frames::ZERO);
        self.range.is_some() || is_faded || self.loops > 1
    }

    /// Returns the keys that contradict each other or have a value that no file can have, each with the reason.
    pub(crate) fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let mut add = |key, what: &str| faults.push((key, what.to_owned()));
        if let Some(what) = self.solo_fault() {
            add("solo", what);
        }
        let gain = self.gain.0;
        if gain.is_nan() || gain > HIGHEST_GAIN_DB {
            add(
                "gain",
                &format!("its gain of {gain} dB is not from -inf to {HIGHEST_GAIN_DB} dB"),
            );
        }
        let has_gain = gain != 0.0;
        if has_gain && self.gain_of.is_some() {
            add(
                "gain",
                "it has a gain and takes that of another deliverable: state one of gain and gain_of",
            );
        }
        if self.fit && (has_gain || self.gain_of.is_some()) {
            let key = if has_gain { "gain" } else { "gain_of" };
            add(
                key,
                &format!(
                    "it is fitted to its loudness, which decides its gain: state one of {key} and fit"
                ),
            );
        }
        if let Some(limit) = self.limit.filter(|l| !(-60.0..=0.0).contains(&l.0)) {
            add(
                "limit",
                &format!("its limit of {} dBTP is not from -60 to 0 dBTP", limit.0),
            );
        }
        if self.limit.is_some() && !self.stems.is_empty() {
            add(
                "limit",
                "stems are taken before the limiter: limit the mix instead",
            );
        }
        if let Some(Excerpt {
            start,
            end: Some(end),
        }) = self.range
            && start >= end
        {
            add(
                "range",
                "its range ends before it starts, or where it starts",
            );
        }
        if !(1..=MAX_LOOPS).contains(&self.loops) {
            add(
                "loop",
                &format!("its loop of {} is not from 1 to {MAX_LOOPS}", self.loops),
            );
        } else if self.loops > 1
            && self.cue.is_none()
            && self.range.is_none()
            && !self.album
            && self.document().is_none()
        {
            add(
                "loop",
                "loop repeats one cue or a part of the timeline: state cue or range",
            );
        }
        if self.rate.is_some_and(|rate| !rate.is_whole()) {
            add("rate", "its rate is not a whole number of hertz");
        }
        if self
            .layout
            .is_some_and(|layout| layout.speakers().is_empty())
        {
            add("layout", "its layout has no positions");
        }
        let cut = [
            ("cue", self.cue.is_some()),
            ("range", self.range.is_some()),
            ("loop", self.loops != 1),
            ("fade_in", self.fade_in.length > Frames::ZERO),
            ("fade_out", self.fade_out.length > Frames::ZERO),
        ];
        let audio = [
            ("gain", has_gain),
            ("gain_of", self.gain_of.is_some()),
            ("rate", self.rate.is_some()),
            ("layout", self.layout.is_some()),
            ("limit", self.limit.is_some()),
        ];
        if self.album
            && let Some((key, _)) = cut.iter().find(|(_, is_stated)| *is_stated)
        {
            add(
                key,
                &format!(
                    "an album has every cue whole, so {key} has no meaning: make a deliverable with cue = \"NAME\""
                ),
            );
        }
        let is_stated = |(_, is_stated): &&(&str, bool)| *is_stated;
        if let Some((_, document)) = self.document()
            && let Some((key, _)) = cut.iter().chain(&audio).find(is_stated)
        {
            add(
                key,
                &format!("{document} is no audio, so {key} has no meaning"),
            );
        }
        faults
    }

    /// Returns the problem of the soloed parts, if there is one.
    fn solo_fault(&self) -> Option<&'static str> {
        let is_bus = |part: &Selector| matches!(part, Selector::Bus(_));
        if self.solo.contains(&Selector::Master) {
            Some("solos the master, which has no solo: solo tracks, buses or cues")
        } else if self.album && !self.solo.iter().all(is_bus) {
            // Nothing would be soloed in the other cues, so they would sound whole.
            Some("solos a part of one cue in an album: solo buses, or mute the other cues")
        } else {
            None
        }
    }

    /// Checks a file name. Returns a message with a valid name if the extension is not that of the
    /// format.
    pub(crate) fn name_fault(&self, file: &Path) -> Option<String> {
        let Some((_, document)) = self.document() else {
            return self.format.container.name_fault(file);
        };
        let first = if self.report { "html" } else { "csv" };
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        let is_known = [first, "json"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known));
        let right = file.with_extension(first);
        let right = right.file_name().unwrap_or_default().to_string_lossy();
        (!is_known).then(|| format!("{document} is a .{first} or .json file: name it {right}"))
    }

    /// Sets the loudness and true peak that are checked.
    #[must_use]
    pub fn loudness(mut self, target: LoudnessTarget) -> Self {
        self.loudness = Some(target);
        self
    }

    /// Applies one gain so that the file meets [`loudness`](Self::loudness), or not.
    #[must_use]
    pub fn fit(mut self, fit: bool) -> Self {
        self.fit = fit;
        self
    }

    /// Sets the dither.
    #[must_use]
    pub fn dither(mut self, dither: Dither) -> Self {
        self.dither = Some(dither);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::Layout,
        session::{Bus, Cue, Session},
    };

    fn deliverable() -> Deliverable {
        Deliverable::new("d", "d.wav")
    }

    fn keys(of: &Deliverable) -> Vec<&'static str> {
        of.faults().into_iter().map(|(key, _)| key).collect()
    }

    fn film() -> (Session, BusId, CueId) {
        let mut film = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        let music = film.add_bus(Bus::new("music"));
        let cue = film.add_cue(Cue::new("storm"));
        (film, music, cue)
    }

    #[test]
    fn levels_and_loops_have_limits_that_they_may_reach() {
        let gain = |db| keys(&deliverable().gain(Decibels(db)));
        for db in [f64::NEG_INFINITY, -0.1, 0.0, HIGHEST_GAIN_DB] {
            assert!(gain(db).is_empty(), "{db}");
        }
        for db in [HIGHEST_GAIN_DB + 0.1, f64::INFINITY, f64::NAN] {
            assert_eq!(gain(db), ["gain"], "{db}");
        }
        let limit = |db| keys(&deliverable().limit(Dbtp(db)));
        assert!(limit(-60.0).is_empty() && limit(0.0).is_empty());
        for db in [-60.1, 0.1, f64::NAN] {
            assert_eq!(limit(db), ["limit"], "{db}");
        }
        let (_, music, cue) = film();
        assert_eq!(
            keys(&deliverable().limit(Dbtp(-1.0)).stems([music])),
            ["limit"]
        );
        let loops = |loops| keys(&deliverable().cue(cue).loops(loops));
        assert!(loops(1).is_empty() && loops(2).is_empty() && loops(10_000).is_empty());
        assert!(loops(0) == ["loop"] && loops(10_001) == ["loop"]);
    }

    #[test]
    fn a_gain_comes_from_one_place() {
        let gain = deliverable().gain(Decibels(-1.0));
        let gain_of = deliverable().gain_of("mix");
        assert!(keys(&gain).is_empty() && keys(&gain_of).is_empty());
        assert!(keys(&deliverable().fit(true)).is_empty());
        assert_eq!(keys(&gain.clone().gain_of("mix")), ["gain"]);
        assert_eq!(keys(&gain.fit(true)), ["gain"]);
        assert_eq!(keys(&gain_of.fit(true)), ["gain_of"]);
    }

    #[test]
    fn a_range_ends_after_it_starts() {
        let range = |start, end| keys(&deliverable().range(Frames(start)..Frames(end)));
        assert!(range(4, 5).is_empty());
        assert!(range(5, 5) == ["range"] && range(6, 5) == ["range"]);
        assert!(keys(&deliverable().range(Frames(5)..)).is_empty());
    }

    #[test]
    fn a_loop_repeats_a_cue_or_a_range() {
        let (_, _, cue) = film();
        let looped = || deliverable().loops(2);
        assert_eq!(keys(&looped()), ["loop"]);
        assert!(keys(&looped().cue(cue)).is_empty());
        assert!(keys(&looped().range(Frames(0)..Frames(9))).is_empty());
        // One message for each: that an album or a document has no loops.
        for of in [
            looped().album(true),
            looped().cue_sheet(true),
            looped().report(true),
        ] {
            assert_eq!(keys(&of), ["loop"]);
        }
    }

    #[test]
    fn excerpts_are_cut_faded_or_repeated() {
        let fade = Fade::linear(Frames(1));
        for of in [
            deliverable().range(Frames(0)..),
            deliverable().fade_in(fade),
            deliverable().fade_out(fade),
            deliverable().loops(2),
        ] {
            assert!(of.is_excerpt());
        }
        let whole = deliverable().fade_in(Fade::linear(Frames(0))).loops(1);
        assert!(!whole.is_excerpt());
    }

    #[test]
    fn an_album_and_a_document_name_the_first_key_without_a_meaning() {
        let (_, _, cue) = film();
        let fade = Fade::linear(Frames(1));
        let cut = [
            ("cue", deliverable().cue(cue)),
            ("range", deliverable().range(Frames(0)..Frames(9))),
            ("fade_in", deliverable().fade_in(fade)),
            ("fade_out", deliverable().fade_out(fade)),
        ];
        let audio = [
            ("gain", deliverable().gain(Decibels(1.0))),
            ("gain_of", deliverable().gain_of("mix")),
            ("rate", deliverable().rate(SampleRate::HZ_44100)),
            ("layout", deliverable().layout(Layout::Mono)),
            ("limit", deliverable().limit(Dbtp(-1.0))),
        ];
        for (key, of) in cut.iter().chain(&audio) {
            assert!(keys(of).is_empty());
            let album = keys(&of.clone().album(true));
            let is_cut = cut.iter().any(|(cut, _)| cut == key);
            assert_eq!(album, if is_cut { vec![*key] } else { vec![] });
            let sheet = of.clone().cue_sheet(true).faults();
            assert_eq!(
                sheet,
                [(
                    *key,
                    format!("a cue sheet is no audio, so {key} has no meaning")
                )]
            );
            let report = of.clone().report(true).faults();
            assert_eq!(
                report,
                [(
                    *key,
                    format!("a report is no audio, so {key} has no meaning")
                )]
            );
        }
        let odd = SampleRate::from_f64(22_254.5).unwrap();
        assert_eq!(keys(&deliverable().rate(odd)), ["rate"]);
        let layout = |layout| keys(&deliverable().layout(layout));
        assert!(layout(Layout::Discrete(3)) == ["layout"] && layout(Layout::Quad).is_empty());
    }

    #[test]
    fn an_album_solos_buses_and_nothing_solos_the_master() {
        let (_, music, cue) = film();
        let master = deliverable().solo(Selector::Master).faults();
        assert!(master[0].1.starts_with("solos the master"), "{master:?}");
        assert!(keys(&deliverable().solo(music).solo(cue)).is_empty());
        assert!(keys(&deliverable().album(true).solo(music)).is_empty());
        let piece = deliverable().album(true).solo(music).solo(cue).faults();
        assert_eq!((piece.len(), piece[0].0), (1, "solo"));
        assert!(
            piece[0].1.starts_with("solos a part of one cue"),
            "{piece:?}"
        );
    }

    #[test]
    fn a_document_is_a_table_or_a_page_or_json() {
        let fault = |of: Deliverable, name: &str| of.name_fault(Path::new(name));
        let sheet = || deliverable().cue_sheet(true);
        let report = || deliverable().report(true);
        assert!(fault(deliverable(), "a.wav").is_none() && fault(deliverable(), "a.csv").is_some());
        for name in ["a.csv", "a.CSV", "a.json"] {
            assert_eq!(fault(sheet(), name), None, "{name}");
        }
        for name in ["a.html", "a.Html", "a.json"] {
            assert_eq!(fault(report(), name), None, "{name}");
        }
        assert_eq!(
            fault(sheet(), "out/a.html").unwrap(),
            "a cue sheet is a .csv or .json file: name it a.csv"
        );
        assert_eq!(
            fault(report(), "out/a").unwrap(),
            "a report is a .html or .json file: name it a.html"
        );
    }
}
