//! Derives from a deliverable the sessions that are rendered for it and the names of its files.

use super::{
    Session,
    cue::{Cue, Use},
    deliverable::Deliverable,
    id::{BusId, CueId},
    insert::Insert,
    selector::Selector,
};
use crate::{
    diagnostics::suggest::hint,
    media::Input,
    session::release::compact_isrc,
    storage::{files_of, is_link},
};
use std::{
    borrow::Cow,
    path::{Component, Path, PathBuf},
};

/// The content of a file of a deliverable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Content {
    /// The whole mix.
    Mix,
    /// The output of one bus.
    Stem(BusId),
    /// One cue, whole, from its own start.
    Cue(CueId),
    /// The music cue sheet, which is no audio.
    CueSheet,
    /// The listing of an album for players and CD programs, which is no audio.
    AlbumCue,
    /// The data of an album as JSON, which is no audio.
    AlbumJson,
    /// The report of the delivery, which is no audio.
    Report,
}

impl Content {
    /// Returns false for cue sheets, listings and reports.
    #[must_use]
    pub fn is_audio(self) -> bool {
        matches!(self, Self::Mix | Self::Stem(_) | Self::Cue(_))
    }
}

/// One file of a deliverable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Output {
    /// The path of the file: the deliverable's pattern, filled in.
    pub file: PathBuf,
    /// Its content.
    pub content: Content,
}

/// The placeholders of a pattern, without their braces.
pub(crate) const WORDS: [&str; 7] = ["title", "cue", "bus", "lang", "nn", "artist", "isrc"];

/// Returns the placeholders in a pattern, without their braces.
pub(crate) fn words(pattern: &str) -> impl Iterator<Item = &str> {
    pattern
        .split('{')
        .skip(1)
        .filter_map(|after| after.split_once('}').map(|(word, _)| word))
}

/// Replaces placeholders by their values. Unknown ones stay, and braces within a value are not replaced.
pub(crate) fn filled(pattern: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        text += before;
        match after.split_once('}').and_then(|(word, rest)| {
            values
                .iter()
                .find(|(w, _)| *w == word)
                .map(|(_, value)| (*value, rest))
        }) {
            Some((value, after)) => {
                text += value;
                rest = after;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text + rest
}

/// Replaces placeholders in the components of a path one by one, so that a slash in a value makes no folder.
fn filled_path(pattern: &Path, values: &[(&str, &str)]) -> PathBuf {
    // A URL is no path: `components` would make `s3:/` of `s3://`.
    if let Some(link) = pattern.to_str().filter(|text| is_link(text)) {
        let parts = link.split('/').map(|part| match part.contains('{') {
            true => no_dots(filled(part, values)),
            false => part.to_owned(),
        });
        return parts.collect::<Vec<_>>().join("/").into();
    }
    let component = |component: Component<'_>| match component.as_os_str().to_str() {
        Some(text) if text.contains('{') => no_dots(filled(text, values)).into(),
        _ => component.as_os_str().to_owned(),
    };
    pattern.components().map(component).collect()
}

impl Input {
    /// Returns the input with `{lang}` in its path replaced.
    ///
    /// # Errors
    /// A message where the path has `{lang}` and no language is chosen.
    pub(crate) fn spoken(&self, lang: Option<&str>) -> Result<Cow<'_, Self>, String> {
        let Self::File {
            path,
            stream,
            channel,
        } = self
        else {
            return Ok(Cow::Borrowed(self));
        };
        let Some(text) = path.to_str().filter(|text| text.contains("{lang}")) else {
            return Ok(Cow::Borrowed(self));
        };
        let Some(lang) = lang else {
            return Err(format!(
                "{text}: no language is chosen for {{lang}}: set lang, as in lang = \"en\""
            ));
        };
        Ok(Cow::Owned(Self::File {
            path: filled(text, &[("lang", lang)]).into(),
            stream: *stream,
            channel: *channel,
        }))
    }
}

/// Returns a name as part of a file name: characters that some file system refuses become dashes, and no name leads out of its
/// folder.
fn safe(name: &str) -> String {
    let bad = |c: char| {
        c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
    };
    let name: String = name
        .trim()
        .chars()
        .map(|c| if bad(c) { '-' } else { c })
        .collect();
    if name.is_empty() { name } else { no_dots(name) }
}

/// Replaces the dots of a path component that consists of dots only, which would mean its folder or the one above; an empty one
/// becomes a dash.
fn no_dots(step: String) -> String {
    match step.as_str() {
        "" => "-".to_owned(),
        dots if dots.chars().all(|c| c == '.') => dots.replace('.', "-"),
        _ => step,
    }
}

/// Reports whether nothing of a name is left for a file name.
fn is_blank(name: &str) -> bool {
    safe(name).is_empty()
}

impl Session {
    /// Returns the files of a deliverable, in order, each with its content: the mix, one cue, one file for each of its buses,
    /// or one for each cue that is not muted.
    ///
    /// ```
    /// use soundtrack::{Bus, Deliverable, Layout, SampleRate, Session};
    /// let mut film = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// film.title = "Reel 2".into();
    /// let music = film.add_bus(Bus::new("music"));
    /// let stems = Deliverable::new("stems", "out/{title} {bus}.wav").stems([music]);
    /// assert_eq!(film.outputs(&stems)[0].file.to_str(), Some("out/Reel 2 music.wav"));
    /// ```
    #[must_use]
    pub fn outputs(&self, deliverable: &Deliverable) -> Vec<Output> {
        let lang = deliverable.lang.as_ref().or(self.lang.as_ref());
        let lang = lang.map_or(String::new(), |lang| safe(lang));
        let of_cue = deliverable.cue.and_then(|id| self.cues.get(id.0));
        let mut outputs = Vec::new();
        for (number, content) in (1..).zip(self.contents(deliverable)) {
            let (mut bus, mut cue, mut isrc) = ("", "", String::new());
            let mut artist = self.album.artist.as_str();
            match content {
                Content::Mix | Content::CueSheet | Content::Report => {}
                Content::AlbumCue | Content::AlbumJson => {}
                Content::Stem(id) => {
                    bus = self
                        .buses
                        .get(id.0)
                        .map_or("", |bus| bus.strip.name.as_str());
                    cue = of_cue.map_or("", Cue::display_name);
                }
                Content::Cue(id) => {
                    cue = self.cues.get(id.0).map_or("", Cue::display_name);
                    artist = self.artist_of(id);
                    isrc = self
                        .cues
                        .get(id.0)
                        .map_or(String::new(), |c| compact_isrc(&c.isrc));
                }
            }
            let values = [
                ("title", safe(&self.title)),
                ("bus", safe(bus)),
                ("cue", safe(cue)),
                ("lang", lang.clone()),
                ("nn", format!("{number:02}")),
                ("artist", safe(artist)),
                ("isrc", safe(&isrc)),
            ];
            let values = values
                .each_ref()
                .map(|(word, value)| (*word, value.as_str()));
            let mut file = filled_path(&deliverable.file, &values);
            match content {
                Content::AlbumCue => file.set_file_name(safe(self.album_title()) + ".cue"),
                Content::AlbumJson => file.set_file_name("album.json"),
                _ => {}
            }
            outputs.push(Output { file, content });
        }
        outputs
    }

    /// Returns the contents of the files of a deliverable, in order.
    fn contents(&self, deliverable: &Deliverable) -> Vec<Content> {
        if deliverable.cue_sheet {
            return vec![Content::CueSheet];
        }
        if deliverable.report {
            return vec![Content::Report];
        }
        if deliverable.album {
            let ids = (0..self.cues.len())
                .map(|index| CueId::of(index, self.key))
                .zip(&self.cues);
            let heard = ids
                .filter(|(id, cue)| !cue.mute && !deliverable.mute.contains(&Selector::Cue(*id)));
            let listings = deliverable
                .listing
                .then_some([Content::AlbumCue, Content::AlbumJson]);
            return heard
                .map(|(id, _)| Content::Cue(id))
                .chain(listings.into_iter().flatten())
                .collect();
        }
        if deliverable.stems.is_empty() {
            return vec![deliverable.cue.map_or(Content::Mix, Content::Cue)];
        }
        // The validation reports buses of another session.
        let stems = deliverable.stems.iter().copied();
        stems
            .filter(|bus| !self.lacks((*bus).into()))
            .map(Content::Stem)
            .collect()
    }

    /// Returns a message for each unknown placeholder in the file name of a deliverable, and for each that has no value. A
    /// session file with such a deliverable is refused.
    ///
    /// ```
    /// use soundtrack::{Deliverable, Layout, SampleRate, Session};
    /// let film = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// let mix = Deliverable::new("mix", "{title}.wav");
    /// assert_eq!(film.file_name_faults(&mix), ["{title} is empty: the session has no title"]);
    /// ```
    #[must_use]
    pub fn file_name_faults(&self, deliverable: &Deliverable) -> Vec<String> {
        self.pattern_faults(deliverable, &deliverable.file.to_string_lossy())
    }

    /// Returns the messages of [`file_name_faults`](Self::file_name_faults) about another file name.
    pub(crate) fn pattern_faults(&self, deliverable: &Deliverable, file: &str) -> Vec<String> {
        let words: Vec<&str> = words(file).collect();
        let has = |word: &str| words.contains(&word);
        let mut faults = Vec::new();
        for word in words.iter().filter(|w| !WORDS.contains(w)) {
            let hint = hint(word, WORDS);
            faults.push(format!("there is no {{{word}}}; there are {{title}}, {{cue}}, {{bus}}, {{lang}}, {{nn}}, {{artist}} and {{isrc}}{hint}"));
        }
        if has("title") && self.title.is_empty() {
            faults.push("{title} is empty: the session has no title".to_owned());
        } else if has("title") && is_blank(&self.title) {
            let title = &self.title;
            faults.push(format!(
                "{{title}} is empty: the session's title is {title:?}"
            ));
        }
        let lang = deliverable.lang.as_ref().or(self.lang.as_ref());
        if has("lang") && lang.is_none_or(|lang| is_blank(lang)) {
            faults.push("{lang} is empty: no language is chosen, as in lang = \"en\"".to_owned());
        }
        let mut buses = deliverable
            .stems
            .iter()
            .filter_map(|bus| self.buses().get(bus.0));
        if has("bus") && deliverable.stems.is_empty() {
            faults.push("{bus} is for stems, as in stems = [\"music\"]".to_owned());
        } else if has("bus")
            && let Some(bus) = buses.find(|bus| is_blank(&bus.strip.name))
        {
            let name = &bus.strip.name;
            faults.push(format!("{{bus}} is empty: a bus is called {name:?}"));
        }
        if has("cue") && !deliverable.album && deliverable.cue.is_none() {
            faults.push(
                "{cue} is for an album or one cue, as in album = true or cue = \"storm\""
                    .to_owned(),
            );
        } else if has("cue")
            && let Some(cue) = self.cues().iter().find(|cue| is_blank(cue.display_name()))
        {
            let name = cue.display_name();
            faults.push(format!("{{cue}} is empty: a cue is called {name:?}"));
        }
        if deliverable.listing && deliverable.album && is_blank(self.album_title()) {
            faults.push(
                "its listing has no name: neither the album nor the session has a title".to_owned(),
            );
        }
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let of_piece = ["{cue}", "{nn}", "{artist}", "{isrc}"];
        if deliverable.listing
            && let Some(word) = of_piece.iter().find(|word| folder.contains(**word))
        {
            faults.push(format!(
                "{word} gives each piece a folder of its own, but a listing is of one folder"
            ));
        }
        let is_delivered = |id: CueId, cue: &Cue| match deliverable.cue {
            Some(only) => id == only,
            None => !cue.mute && !deliverable.mute.contains(&Selector::Cue(id)),
        };
        let delivered = || {
            (0..self.cues.len())
                .map(|index| CueId::of(index, self.key))
                .zip(&self.cues)
                .filter(|(id, cue)| is_delivered(*id, cue))
        };
        let is_of_cues =
            deliverable.album || (deliverable.cue.is_some() && deliverable.stems.is_empty());
        if has("artist") && !is_of_cues && is_blank(&self.album.artist) {
            faults.push("{artist} is empty: the album has no artist".to_owned());
        } else if has("artist")
            && is_of_cues
            && let Some((_, cue)) = delivered().find(|(id, _)| is_blank(self.artist_of(*id)))
        {
            let name = &cue.name;
            faults.push(format!(
                "{{artist}} is empty: neither the cue {name:?} nor the album has an artist"
            ));
        }
        if has("isrc") && !is_of_cues {
            faults.push(
                "{isrc} is for an album or one cue, as in album = true or cue = \"storm\""
                    .to_owned(),
            );
        } else if has("isrc")
            && let Some((_, cue)) = delivered().find(|(_, cue)| is_blank(&cue.isrc))
        {
            let name = &cue.name;
            faults.push(format!("{{isrc}} is empty: the cue {name:?} has no isrc"));
        }
        faults
    }

    /// Returns the title of the album, or that of the session for an album without one.
    pub(crate) fn album_title(&self) -> &str {
        match self.album.title.trim() {
            "" => &self.title,
            _ => &self.album.title,
        }
    }

    /// Returns the artist of a cue: its own, or else that of the album.
    pub(crate) fn artist_of(&self, cue: CueId) -> &str {
        let own = self.cues.get(cue.0).map(|cue| cue.artist.as_str());
        own.filter(|artist| !artist.trim().is_empty())
            .unwrap_or(&self.album.artist)
    }

    /// Returns the session that a deliverable is rendered from: in its language, at its rate, in its layout, with its
    /// limit, and with its parts muted and soloed. Its cue, range, fades and gain are not applied.
    #[must_use]
    pub fn for_deliverable(&self, deliverable: &Deliverable) -> Self {
        let mut session = deliverable
            .rate
            .map_or_else(|| self.clone(), |rate| self.at_rate(rate));
        if let Some(layout) = deliverable.layout {
            session.layout = layout;
        }
        if deliverable.limit.is_some() {
            session.master.limit = deliverable.limit;
        }
        if deliverable.lang.is_some() {
            session.lang.clone_from(&deliverable.lang);
        }
        for &part in &deliverable.mute {
            session.mute(part);
        }
        if !deliverable.solo.is_empty() {
            session.clear_solos();
        }
        for &part in &deliverable.solo {
            session.solo(part);
        }
        session
    }

    /// Returns the session that renders one cue whole, from its own start: the tracks of the cue, all buses and the master. It
    /// has no length, so that it ends with the cue. A side-chain key that is a track of the timeline is silence. Without tracks, and so refused by the plan, for an id of another session.
    #[must_use]
    pub fn whole_cue(&self, cue: CueId) -> Self {
        let mut session = self.clone();
        session.tracks.clear();
        session.markers.clear();
        session.deliverables.clear();
        session.length = None;
        session.start = None;
        session.cues = self.cues.get(cue.0).cloned().into_iter().collect();
        for cue in &mut session.cues {
            cue.uses = vec![Use::default()];
        }
        let strips = session.buses.iter_mut().map(|bus| &mut bus.strip);
        let tracks = session.cues.iter_mut().flat_map(|cue| &mut cue.tracks);
        let strips = strips.chain(tracks.map(|track| &mut track.strip));
        strips
            .flat_map(|strip| &mut strip.inserts)
            .chain(&mut session.master.inserts)
            .for_each(Insert::leave_out_track_key);
        session
    }

    /// Replaces `{lang}` in the names of stems, so that sessions whose languages make no difference become equal. A placeholder
    /// without a value stays, and the plan reports it.
    pub(crate) fn speak(&mut self) {
        let Some(lang) = self.lang.clone() else {
            return;
        };
        let of_cues = self.cues.iter_mut().flat_map(|c| &mut c.tracks);
        for clip in self
            .tracks
            .iter_mut()
            .chain(of_cues)
            .flat_map(|t| &mut t.clips)
        {
            if let Ok(spoken) = clip.input.spoken(Some(&lang)) {
                clip.input = spoken.into_owned();
            }
        }
        self.lang = None;
    }

    /// Returns every file that the session names, in every language, heard or not, and the session file itself. No output may
    /// replace one of them.
    pub(crate) fn named_files(&self) -> Vec<PathBuf> {
        let mut langs: Vec<Option<&str>> = vec![self.lang.as_deref()];
        langs.extend(self.deliverables.iter().map(|d| d.lang.as_deref()));
        langs.sort_unstable();
        langs.dedup();
        let of_cues = self.cues.iter().flat_map(|cue| &cue.tracks);
        let clips = self.tracks.iter().chain(of_cues).flat_map(|t| &t.clips);
        let mut files: Vec<PathBuf> = self
            .written
            .path()
            .map(Path::to_owned)
            .into_iter()
            .collect();
        for lang in langs {
            for clip in clips.clone() {
                if let Ok(Input::File { path, .. }) = clip.input.spoken(lang).as_deref() {
                    files.extend(files_of(path));
                }
            }
        }
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Reports whether an album or a deliverable of one cue has a cue.
    pub(crate) fn has_in_album(&self, cue: CueId) -> bool {
        self.deliverables
            .iter()
            .any(|d| d.cue == Some(cue) || (d.album && !d.mute.contains(&Selector::Cue(cue))))
    }

    /// Returns the deliverable whose gain a deliverable has: the last one in its chain of `gain_of`, or itself.
    ///
    /// # Errors
    /// A message for a name that no deliverable has, and for a chain that closes a circle.
    pub(crate) fn gain_source<'s>(
        &'s self,
        deliverable: &'s Deliverable,
    ) -> Result<&'s Deliverable, String> {
        let mut chain = vec![deliverable.name.as_str()];
        let mut source = deliverable;
        while let Some(name) = &source.gain_of {
            let all = || self.deliverables.iter();
            source = all().find(|d| d.name == *name).ok_or_else(|| {
                let near = hint(name, all().map(|d| d.name.as_str()));
                format!("gain_of: there is no deliverable {name:?}{near}")
            })?;
            if let Some((_, document)) = source.document() {
                return Err(format!(
                    "gain_of: {name:?} is {document}, which has no gain"
                ));
            }
            let is_circle = chain.contains(&source.name.as_str());
            chain.push(&source.name);
            if is_circle {
                return Err(format!(
                    "gain_of: closes a circle: {}; one of them needs a gain of its own, or fit",
                    chain.join(" -> ")
                ));
            }
        }
        Ok(source)
    }

    /// Returns the keys of a deliverable that contradict each other or the other deliverables, each with the reason.
    pub(crate) fn deliverable_faults(
        &self,
        deliverable: &Deliverable,
    ) -> Vec<(&'static str, String)> {
        let mut faults = deliverable.faults();
        let source = self.gain_source(deliverable);
        faults.extend(source.err().map(|what| ("gain_of", what)));
        faults
    }

    /// Reports whether there is nothing to hear because no cue is placed on the timeline.
    pub(crate) fn has_only_unplaced_cues(&self) -> bool {
        let unplaced = self.cues.iter().all(|cue| cue.uses.is_empty());
        self.tracks.is_empty() && !self.cues.is_empty() && unplaced
    }

    /// Returns the deliverable of a name.
    #[must_use]
    pub fn deliverable(&self, name: &str) -> Option<&Deliverable> {
        self.deliverables.iter().find(|d| d.name == name)
    }

    /// Reports whether a part is of another session.
    pub(crate) fn lacks(&self, part: Selector) -> bool {
        self.part_name(part).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layout::Layout, session::Bus, units::SampleRate};

    #[test]
    fn a_url_keeps_its_slashes_and_a_value_makes_no_folder() {
        let values = [("title", "Reel 2"), ("bus", ".."), ("lang", "en")];
        let filled = |pattern: &str| {
            filled_path(Path::new(pattern), &values)
                .display()
                .to_string()
        };
        assert_eq!(
            filled("s3://film/{lang}/{title} mix.wav"),
            "s3://film/en/Reel 2 mix.wav"
        );
        assert_eq!(filled("memory://a//b/{nn}.wav"), "memory://a//b/{nn}.wav");
        assert_eq!(filled("out//{title}.wav"), "out/Reel 2.wav");
        let dots = |prefix: &str| filled(&format!("{prefix}{{bus}}/x.wav"));
        assert_eq!(dots("s3://film/"), format!("s3://film/{}", dots("")));
    }

    fn film() -> (Session, BusId, BusId) {
        let mut film = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        let music = film.add_bus(Bus::new("music"));
        let blank = film.add_bus(Bus::new(" "));
        (film, music, blank)
    }

    fn album() -> Deliverable {
        Deliverable {
            album: true,
            ..Deliverable::new("album", "")
        }
    }

    #[test]
    fn names_become_safe_parts_of_a_file_name() {
        for (name, part) in [
            ("a/b\\c:d*e?f\"g<h>i|j\tk", "a-b-c-d-e-f-g-h-i-j-k"),
            (" Reel 2 ", "Reel 2"),
            ("\n", ""),
            (".", "-"),
            (" .. ", "--"),
            (".a", ".a"),
        ] {
            assert_eq!(safe(name), part);
        }
        assert_eq!(words("{a} {b}{c").collect::<Vec<_>>(), ["a", "b"]);
        let values = [("a", "{b}"), ("b", "1")];
        assert_eq!(filled("{a}-{b}-{c}-{b", &values), "{b}-1-{c}-{b");
    }

    #[test]
    fn a_placeholder_for_the_session_needs_a_value() {
        let (mut film, music, blank) = film();
        let mix = Deliverable::new("mix", "");
        let none: [&str; 0] = [];
        let faults = |film: &Session, of: &Deliverable, file: &str| film.pattern_faults(of, file);
        let unknown = faults(&film, &mix, "{tile}.wav");
        assert_eq!(unknown.len(), 1);
        assert!(unknown[0].starts_with("there is no {tile}; there are {title}, {cue}"));
        assert!(unknown[0].contains("\"title\""), "{unknown:?}");
        assert_eq!(
            faults(&film, &mix, "{title}"),
            ["{title} is empty: the session has no title"]
        );
        film.title = "\t".into();
        assert_eq!(
            faults(&film, &mix, "{title}"),
            ["{title} is empty: the session's title is \"\\t\""]
        );
        assert_eq!(faults(&film, &mix, "x"), none);
        film.title = "Reel".into();
        assert_eq!(faults(&film, &mix, "{title}"), none);

        let no_lang = ["{lang} is empty: no language is chosen, as in lang = \"en\""];
        assert_eq!(faults(&film, &mix, "{lang}"), no_lang);
        assert_eq!(faults(&film, &mix, "x"), none);
        film.lang = Some(" ".into());
        assert_eq!(faults(&film, &mix, "{lang}"), no_lang);
        let spoken = Deliverable {
            lang: Some("de".into()),
            ..mix.clone()
        };
        assert_eq!(faults(&film, &spoken, "{lang}"), none);
        film.lang = Some("en".into());
        assert_eq!(faults(&film, &mix, "{lang}"), none);

        let stems = |buses: &[BusId]| mix.clone().stems(buses.iter().copied());
        assert_eq!(
            faults(&film, &mix, "{bus}"),
            ["{bus} is for stems, as in stems = [\"music\"]"]
        );
        assert_eq!(faults(&film, &stems(&[music]), "{bus}"), none);
        assert_eq!(faults(&film, &stems(&[music, blank]), "x"), none);
        assert_eq!(
            faults(&film, &stems(&[music, blank]), "{bus}"),
            ["{bus} is empty: a bus is called \" \""]
        );
    }

    #[test]
    fn a_placeholder_for_pieces_needs_an_album_or_a_cue_that_states_it() {
        let (mut film, music, _) = film();
        let storm = film.add_cue(Cue::new("storm"));
        let calm = film.add_cue(Cue::new("calm").artist("A").isrc("GBABC2600001"));
        let none: [&str; 0] = [];
        let faults = |film: &Session, of: &Deliverable, file: &str| film.pattern_faults(of, file);
        let mix = Deliverable::new("mix", "");
        let one = |cue| Deliverable {
            cue: Some(cue),
            ..mix.clone()
        };
        let without = |cue: CueId| Deliverable {
            mute: vec![Selector::Cue(cue)],
            ..album()
        };
        for word in ["cue", "isrc"] {
            assert_eq!(
                faults(&film, &mix, &format!("{{{word}}}")),
                [format!(
                    "{{{word}}} is for an album or one cue, as in album = true or cue = \"storm\""
                )]
            );
        }
        for of in [album(), one(storm), one(calm)] {
            assert_eq!(faults(&film, &of, "{cue}"), none);
        }

        let no_isrc = ["{isrc} is empty: the cue \"storm\" has no isrc"];
        let no_artist =
            ["{artist} is empty: neither the cue \"storm\" nor the album has an artist"];
        for (of, states_all) in [
            (album(), false),
            (one(storm), false),
            (one(calm), true),
            (without(storm), true),
            (without(calm), false),
        ] {
            for (word, fault) in [("{isrc}", no_isrc), ("{artist}", no_artist)] {
                let found = faults(&film, &of, word);
                assert_eq!(found.is_empty(), states_all, "{found:?}");
                assert!(states_all || found == fault, "{found:?}");
                assert_eq!(faults(&film, &of, "x"), none);
            }
        }
        let no_album_artist = ["{artist} is empty: the album has no artist"];
        let stems_of_calm = Deliverable {
            stems: vec![music],
            ..one(calm)
        };
        for of in [&mix, &stems_of_calm] {
            assert_eq!(faults(&film, of, "{artist}"), no_album_artist);
            assert_eq!(faults(&film, of, "x"), none);
        }
        let mut muted = film.clone();
        muted.cue_mut(storm).mute = true;
        assert_eq!(faults(&muted, &album(), "{isrc} {artist}"), none);
        film.album.artist = "B".into();
        for of in [&mix, &stems_of_calm, &album(), &one(storm)] {
            assert_eq!(faults(&film, of, "{artist}"), none);
        }
        film.add_cue(Cue::new(" "));
        assert_eq!(faults(&film, &album(), "x"), none);
        assert_eq!(
            faults(&film, &album(), "{cue}"),
            ["{cue} is empty: a cue is called \" \""]
        );
    }

    #[test]
    fn a_listing_has_a_name_and_one_folder() {
        let (mut film, ..) = film();
        film.title = "Reel".into();
        film.album.artist = "B".into();
        film.add_cue(Cue::new("calm").isrc("GBABC2600001"));
        let listed = Deliverable {
            listing: true,
            ..album()
        };
        let none: [&str; 0] = [];
        for word in ["{cue}", "{nn}", "{artist}", "{isrc}"] {
            let (inside, last) = (format!("out/{word}/a.wav"), format!("out/{word}.wav"));
            assert_eq!(
                film.pattern_faults(&listed, &inside),
                [format!(
                    "{word} gives each piece a folder of its own, but a listing is of one folder"
                )]
            );
            assert_eq!(film.pattern_faults(&album(), &inside), none);
            assert_eq!(film.pattern_faults(&listed, &last), none);
            assert_eq!(film.pattern_faults(&listed, word), none);
        }
        assert_eq!(film.pattern_faults(&listed, "{title}/a.wav"), none);
        film.title.clear();
        let nameless = ["its listing has no name: neither the album nor the session has a title"];
        assert_eq!(film.pattern_faults(&listed, "a.wav"), nameless);
        assert_eq!(film.pattern_faults(&album(), "a.wav"), none);
        film.album.title = "Score".into();
        assert_eq!(film.pattern_faults(&listed, "a.wav"), none);
    }

    #[test]
    fn an_album_has_the_cues_that_are_not_muted_then_its_listings() {
        let (mut film, music, blank) = film();
        film.title = "Reel".into();
        let [a, b, c] = ["a", "b", "c"].map(|name| film.add_cue(Cue::new(name)));
        film.cue_mut(b).mute = true;
        let names = |of: Deliverable| {
            let outputs = film.outputs(&Deliverable {
                file: "out/{nn} {title} {cue} {bus}.wav".into(),
                ..of
            });
            let name = |output: Output| (output.file.display().to_string(), output.content);
            outputs.into_iter().map(name).collect::<Vec<_>>()
        };
        let listed = Deliverable {
            listing: true,
            ..album()
        };
        assert_eq!(
            names(listed),
            [
                ("out/01 Reel a .wav".to_owned(), Content::Cue(a)),
                ("out/02 Reel c .wav".to_owned(), Content::Cue(c)),
                ("out/Reel.cue".to_owned(), Content::AlbumCue),
                ("out/album.json".to_owned(), Content::AlbumJson),
            ]
        );
        let without = Deliverable {
            mute: vec![Selector::Cue(a), Selector::Bus(music)],
            ..album()
        };
        assert_eq!(
            names(without),
            [("out/01 Reel c .wav".to_owned(), Content::Cue(c))]
        );
        let mut other = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        let foreign = other.add_bus(Bus::new("music"));
        let stems = Deliverable {
            cue: Some(a),
            ..Deliverable::new("s", "").stems([blank, foreign, music])
        };
        assert_eq!(
            names(stems),
            [
                ("out/01 Reel a .wav".to_owned(), Content::Stem(blank)),
                ("out/02 Reel a music.wav".to_owned(), Content::Stem(music)),
            ]
        );
        for (of, content) in [
            (Deliverable::new("m", ""), Content::Mix),
            (Deliverable::new("s", "").cue_sheet(true), Content::CueSheet),
        ] {
            let names = names(of);
            assert_eq!(names, [("out/01 Reel  .wav".to_owned(), content)]);
        }
        let audio = [Content::Mix, Content::Stem(music), Content::Cue(a)];
        assert!(audio.into_iter().all(Content::is_audio));
        let texts = [
            Content::CueSheet,
            Content::AlbumCue,
            Content::AlbumJson,
            Content::Report,
        ];
        assert!(!texts.into_iter().any(Content::is_audio));
    }
}
