//! The state of the console: what the keys change, and what the screen shows.

use super::{
    keys::Action,
    screen::{self, StripView, Timeline, View},
};
use crate::mixdown::balance::{Balance, Controls};
use soundtrack::{
    Decibels, Frames, Pan, Plan, Player, SampleRate, Selector, Session, State, Timecode,
};
use std::{path::PathBuf, time::Duration};

/// Distance of a seek.
const SEEK_STEP: Duration = Duration::from_secs(5);
/// A seek to the last marker goes one further back if playback passed the marker less than this ago.
const MARKER_GRACE: Duration = Duration::from_secs(1);
/// Highest gain of a fader that the keys reach.
const MAX_GAIN: f64 = 24.0;
/// Below this a fader goes to silence.
const MIN_GAIN: f64 = -70.0;

/// Selects where `w` saves the balance.
#[derive(Clone, Debug)]
pub enum SaveTarget {
    /// The session file that is played.
    SessionFile(PathBuf),
    /// A new session file.
    NewFile(PathBuf),
}

/// A strip of the console.
struct ConsoleStrip {
    part: Selector,
    /// Name as `Session::part` reads it.
    part_name: String,
    name: String,
    group: String,
    /// Index of the cue in `Console::cues`.
    cue: Option<usize>,
    /// Indices of the cue and its track in the session, for the meter.
    meter: Option<(usize, usize)>,
    has_pan_automation: bool,
    loaded: Controls,
    now: Controls,
    peak: Option<f64>,
    held_peak: Option<f64>,
    reduction: f64,
}

/// A cue with a mute of its own.
struct ConsoleCue {
    part: Selector,
    part_name: String,
    is_muted: bool,
}

/// A named position of the timeline.
struct NamedPosition {
    at: Frames,
    name: String,
}

/// The console of a session that is played.
pub struct Console {
    /// Plays the session of the strips, so it refuses none of their changes.
    player: Player,
    session: Session,
    strips: Vec<ConsoleStrip>,
    cues: Vec<ConsoleCue>,
    master_gain: Decibels,
    master_peaks: (Option<f64>, Option<f64>),
    master_reduction: f64,
    /// `None` selects the master.
    selected: Option<usize>,
    page_of: usize,
    positions: Vec<NamedPosition>,
    loop_start: Option<Frames>,
    loop_end: Option<Frames>,
    is_looping: bool,
    is_help_shown: bool,
    message: String,
    saves_to: SaveTarget,
    saved: Balance,
    has_colour: bool,
}

impl Console {
    /// Creates the console of a player of this session and plan.
    pub fn new(
        player: Player,
        session: &Session,
        plan: &Plan,
        saves_to: SaveTarget,
        has_colour: bool,
    ) -> Self {
        let (strips, cues) = strips_of(session);
        let mut positions: Vec<NamedPosition> = session
            .markers
            .iter()
            .map(|marker| NamedPosition {
                at: marker.at,
                name: marker.name.clone(),
            })
            .collect();
        for cue in plan.cues() {
            positions.extend(cue.uses.iter().map(|place| NamedPosition {
                at: place.range.start,
                name: if place.name.is_empty() {
                    cue.title.clone()
                } else {
                    format!("{} ({})", cue.title, place.name)
                },
            }));
        }
        positions.sort_by_key(|position| position.at);
        let mut console = Self {
            player,
            selected: (!strips.is_empty()).then_some(0),
            strips,
            cues,
            master_gain: session.master.gain,
            session: session.clone(),
            master_peaks: (None, None),
            master_reduction: 0.0,
            page_of: 0,
            positions,
            loop_start: None,
            loop_end: None,
            is_looping: false,
            is_help_shown: false,
            message: String::new(),
            saves_to,
            saved: Balance::default(),
            has_colour,
        };
        console.saved = console.balance();
        console
    }

    /// Returns the balance as it is now.
    pub fn balance(&self) -> Balance {
        Balance {
            strips: self
                .strips
                .iter()
                .map(|strip| (strip.part_name.clone(), strip.now))
                .collect(),
            cues: self
                .cues
                .iter()
                .map(|cue| (cue.part_name.clone(), cue.is_muted))
                .collect(),
            master_gain: self.master_gain,
        }
    }

    /// Returns what has changed since the start or the last save, as options of the command line.
    pub fn unsaved_settings(&self) -> Vec<String> {
        self.balance().settings_from(&self.saved)
    }

    /// Executes an action on a terminal of this width. Returns false to quit.
    pub fn execute(&mut self, action: Action, columns: u16) -> bool {
        if self.is_help_shown && action != Action::Interrupt {
            self.is_help_shown = false;
            return true;
        }
        let player = &self.player;
        match action {
            Action::Quit | Action::Interrupt => return false,
            Action::Help => self.is_help_shown = true,
            Action::PlayOrPause if player.state() == State::Playing => player.pause(),
            Action::PlayOrPause => player.play(),
            Action::Back => player.seek(player.position() - self.frames(SEEK_STEP)),
            Action::Forward => player.seek(player.position() + self.frames(SEEK_STEP)),
            Action::Start => player.seek(Frames::ZERO),
            Action::LastMarker => self.seek_back(),
            Action::NextMarker => self.seek_on(),
            Action::LastStrip => self.select_before(1),
            Action::NextStrip => self.select_after(1),
            Action::LastPage => self.select_before(screen::strips_per_page(columns)),
            Action::NextPage => self.select_after(screen::strips_per_page(columns)),
            Action::FirstStrip => self.select((!self.strips.is_empty()).then_some(0)),
            Action::Master => self.select(None),
            Action::Gain(by) => self.move_gain(by),
            Action::Pan(by) => self.move_pan(by),
            Action::Mute => self.toggle_mute(),
            Action::MuteCue => self.toggle_cue_mute(),
            Action::Solo => self.toggle_solo(),
            Action::ClearSwitches => self.clear_switches(),
            Action::Reset => self.reset(),
            Action::LoopStart => self.mark_loop(true),
            Action::LoopEnd => self.mark_loop(false),
            Action::ToggleLoop => self.toggle_loop(),
            Action::ClearPeaks => self.clear_peaks(),
            Action::Save => self.save(),
            Action::None => {}
        }
        true
    }

    fn frames(&self, time: Duration) -> Frames {
        Frames::from_duration(time, self.session.rate)
    }

    /// Reads the meters.
    pub fn read_meters(&mut self) {
        let levels = self.player.levels();
        let mut tracks = levels.tracks.iter();
        let mut buses = levels.buses.iter();
        for strip in &mut self.strips {
            let level = match strip.part {
                Selector::Track(_) => tracks.next(),
                Selector::Bus(_) => buses.next(),
                _ => strip
                    .meter
                    .and_then(|(cue, track)| levels.cues.get(cue)?.get(track)),
            };
            strip.peak = level.map(|level| level.peak.0);
            strip.held_peak = level.map(|level| level.held_peak.0);
            strip.reduction = level.map_or(0.0, |level| level.reduction.0);
        }
        let master = levels.master;
        self.master_peaks = (Some(master.peak.0), Some(master.held_peak.0));
        self.master_reduction = master.reduction.0;
    }

    fn clear_peaks(&mut self) {
        self.player.clear_peaks();
        self.player.measure();
        self.message = "cleared peaks and loudness".to_owned();
    }

    fn select(&mut self, strip: Option<usize>) {
        self.selected = strip;
        self.page_of = strip.unwrap_or(self.page_of);
        self.message = match self.selected_strip() {
            Some(strip) => strip.part_name.clone(),
            None => "master".to_owned(),
        };
    }

    fn select_before(&mut self, step: usize) {
        let before = match self.selected {
            None => self.strips.len().checked_sub(1),
            Some(strip) => Some(strip.saturating_sub(step)),
        };
        self.select(before);
    }

    /// Selects a strip after this one; the master comes after the last.
    fn select_after(&mut self, step: usize) {
        let last = self.strips.len().saturating_sub(1);
        let after = match self.selected {
            Some(strip) if strip < last => Some((strip + step).min(last)),
            _ => None,
        };
        self.select(after);
    }

    fn selected_strip(&self) -> Option<&ConsoleStrip> {
        self.strips.get(self.selected?)
    }

    fn selected_strip_mut(&mut self) -> Option<&mut ConsoleStrip> {
        self.strips.get_mut(self.selected?)
    }

    fn move_gain(&mut self, by: f64) {
        let moved = |gain: Decibels| {
            // Rounded, so that ten steps of 0.1 dB are 1 dB.
            let to = ((gain.0.max(MIN_GAIN) + by) * 100.0).round() / 100.0;
            if to < MIN_GAIN || (gain == Decibels::SILENCE && by < 0.0) {
                Decibels::SILENCE
            } else {
                // A gain above the limit may come from the file; a step down is still possible.
                Decibels(to.min(MAX_GAIN.max(gain.0)))
            }
        };
        match self.selected_strip_mut() {
            Some(strip) => {
                strip.now.gain = moved(strip.now.gain);
                let (part, gain) = (strip.part, strip.now.gain);
                let _ = self.player.set_gain(part, gain);
            }
            None => {
                self.master_gain = moved(self.master_gain);
                let _ = self.player.set_gain(Selector::Master, self.master_gain);
            }
        }
    }

    fn move_pan(&mut self, by: f64) {
        let Some(strip) = self.selected_strip_mut() else {
            self.message = "the master has no pan".to_owned();
            return;
        };
        if strip.has_pan_automation {
            self.message = format!("{}: its pan is automated", strip.part_name);
            return;
        }
        let to = ((strip.now.pan.0 + by).clamp(-1.0, 1.0) * 100.0).round() / 100.0;
        strip.now.pan = Pan(to + 0.0);
        let (part, pan) = (strip.part, strip.now.pan);
        let _ = self.player.set_pan(part, pan);
    }

    fn toggle_mute(&mut self) {
        let Some(strip) = self.selected_strip_mut() else {
            self.message = "the master has no mute; space pauses".to_owned();
            return;
        };
        strip.now.is_muted = !strip.now.is_muted;
        let (part, is_muted) = (strip.part, strip.now.is_muted);
        let _ = self.player.set_mute(part, is_muted);
    }

    fn toggle_cue_mute(&mut self) {
        let cue = self.selected_strip().and_then(|strip| strip.cue);
        let Some(cue) = cue.and_then(|cue| self.cues.get_mut(cue)) else {
            self.message = "M mutes a whole cue: select one of its tracks".to_owned();
            return;
        };
        cue.is_muted = !cue.is_muted;
        self.message = format!(
            "{} {}",
            cue.part_name,
            if cue.is_muted { "muted" } else { "heard again" }
        );
        let (part, is_muted) = (cue.part, cue.is_muted);
        let _ = self.player.set_mute(part, is_muted);
    }

    fn toggle_solo(&mut self) {
        let Some(strip) = self.selected_strip_mut() else {
            self.message = "the master has no solo; u ends all others".to_owned();
            return;
        };
        strip.now.is_soloed = !strip.now.is_soloed;
        let (part, is_soloed) = (strip.part, strip.now.is_soloed);
        let _ = self.player.set_solo(part, is_soloed);
    }

    fn clear_switches(&mut self) {
        for strip in &mut self.strips {
            if strip.now.is_muted {
                strip.now.is_muted = false;
                let _ = self.player.set_mute(strip.part, false);
            }
            if strip.now.is_soloed {
                strip.now.is_soloed = false;
                let _ = self.player.set_solo(strip.part, false);
            }
        }
        for cue in self.cues.iter_mut().filter(|cue| cue.is_muted) {
            cue.is_muted = false;
            let _ = self.player.set_mute(cue.part, false);
        }
        self.message = "no mute, no solo".to_owned();
    }

    fn reset(&mut self) {
        let Some(strip) = self.selected_strip_mut() else {
            self.master_gain = self.session.master.gain;
            let _ = self.player.set_gain(Selector::Master, self.master_gain);
            return;
        };
        let had_other_pan = strip.now.pan != strip.loaded.pan;
        strip.now = strip.loaded;
        let (part, now) = (strip.part, strip.now);
        let _ = self.player.set_gain(part, now.gain);
        // Setting the pan would end its automation.
        if had_other_pan {
            let _ = self.player.set_pan(part, now.pan);
        }
        let _ = self.player.set_mute(part, now.is_muted);
        let _ = self.player.set_solo(part, now.is_soloed);
    }

    fn seek_back(&mut self) {
        let now = self.player.position();
        let before = now - self.frames(MARKER_GRACE);
        let marker = self.positions.iter().rfind(|marker| marker.at < before);
        self.player
            .seek(marker.map_or(Frames::ZERO, |marker| marker.at));
    }

    fn seek_on(&mut self) {
        let now = self.player.position();
        match self.positions.iter().find(|marker| marker.at > now) {
            Some(marker) => self.player.seek(marker.at),
            None => self.message = "there is no marker after this position".to_owned(),
        }
    }

    fn mark_loop(&mut self, is_start: bool) {
        let at = self.player.position();
        if is_start {
            self.loop_start = Some(at);
        } else {
            self.loop_end = Some(at);
        }
        self.is_looping =
            self.loop_range().is_some() && self.loop_start.is_some() && self.loop_end.is_some();
        self.update_loop();
        if !self.is_looping {
            let (which, other) = if is_start {
                ("start", "]")
            } else {
                ("end", "[")
            };
            self.message = format!(
                "{which} of the loop is {}; {other} sets the other end",
                self.time(at)
            );
        }
    }

    fn toggle_loop(&mut self) {
        self.is_looping = !self.is_looping;
        self.update_loop();
    }

    /// Returns the range of the loop, from the start or to the end of the mix where an end is not set.
    fn loop_range(&self) -> Option<(Frames, Frames)> {
        let start = self.loop_start.unwrap_or(Frames::ZERO);
        let end = self.loop_end.unwrap_or(self.player.length());
        (start < end).then_some((start, end))
    }

    fn update_loop(&mut self) {
        let range = self.loop_range().filter(|_| self.is_looping);
        self.player.set_loop(range.map(|(start, end)| start..end));
        self.message = match range {
            Some((start, end)) => {
                // The player turns back only where it reaches the end, so a position behind it goes to the start.
                if self.player.position() >= end {
                    self.player.seek(start);
                }
                format!("loop {} to {}", self.time(start), self.time(end))
            }
            None => {
                self.is_looping = false;
                "no loop".to_owned()
            }
        };
    }

    fn save(&mut self) {
        let balance = self.balance();
        let changes = balance.settings_from(&self.saved).len();
        let (path, saved) = match &self.saves_to {
            SaveTarget::SessionFile(path) => (path.clone(), balance.save_into(path)),
            SaveTarget::NewFile(path) => {
                let mut session = self.session.clone();
                balance.apply(&mut session);
                (path.clone(), session.save(path))
            }
        };
        self.message = match saved {
            Ok(()) => {
                self.saved = balance;
                self.saves_to = SaveTarget::SessionFile(path.clone());
                let changes = crate::text::counted(changes as u64, "change");
                format!("saved {} ({changes})", path.display())
            }
            Err(e) => format!("not saved: {e}"),
        };
    }

    /// Formats a position as timecode where the session has a picture, otherwise as a clock.
    fn time(&self, at: Frames) -> String {
        time(&self.session, at)
    }

    /// Returns what the screen shows.
    pub fn view(&self) -> View {
        let player = &self.player;
        let loudness = player.loudness();
        let position = player.position();
        let part = |at: Frames| at.0 as f64 / player.length().0.max(1) as f64;
        let passed = self.positions.iter().rfind(|marker| marker.at <= position);
        View {
            title: self.session.title.clone(),
            state: player.state(),
            fault: player.fault().map(|fault| fault.to_string()),
            position: self.time(position),
            length: self.time(player.length()),
            loudness: [loudness.momentary, loudness.short_term, loudness.integrated]
                .map(|level| level.map(|level| level.0)),
            underruns: player.underruns().count,
            timeline: Timeline {
                position: part(position),
                markers: self
                    .positions
                    .iter()
                    .map(|marker| part(marker.at))
                    .collect(),
                loop_range: self
                    .loop_range()
                    .filter(|_| self.is_looping)
                    .map(|(start, end)| (part(start), part(end))),
                passed: passed.map(|marker| marker.name.clone()),
            },
            strips: self
                .strips
                .iter()
                .map(|strip| self.strip_view(strip))
                .collect(),
            master: StripView {
                group: String::new(),
                name: "master".to_owned(),
                gain: self.master_gain,
                pan: None,
                is_muted: false,
                is_soloed: false,
                is_cue_muted: false,
                peak: self.master_peaks.0,
                held_peak: self.master_peaks.1,
                reduction: self.master_reduction,
            },
            selected: self.selected,
            page_of: self.page_of,
            message: self.message.clone(),
            is_help_shown: self.is_help_shown,
            has_colour: self.has_colour,
        }
    }

    fn strip_view(&self, strip: &ConsoleStrip) -> StripView {
        let cue = strip.cue.and_then(|cue| self.cues.get(cue));
        StripView {
            group: strip.group.clone(),
            name: strip.name.clone(),
            gain: strip.now.gain,
            pan: Some(strip.now.pan),
            is_muted: strip.now.is_muted,
            is_soloed: strip.now.is_soloed,
            is_cue_muted: cue.is_some_and(|cue| cue.is_muted),
            peak: strip.peak,
            held_peak: strip.held_peak,
            reduction: strip.reduction,
        }
    }
}

/// Formats a position of a session as timecode where it has a picture, otherwise as a clock.
fn time(session: &Session, at: Frames) -> String {
    let rate: SampleRate = session.rate;
    match session.picture() {
        Some((fps, start)) => Timecode::seen_at(start.frames(rate) + at, rate, fps)
            .0
            .to_string(),
        None => at.clock(rate),
    }
}

/// Returns the strips of tracks, of the tracks of placed cues, and of buses; and the cues.
fn strips_of(session: &Session) -> (Vec<ConsoleStrip>, Vec<ConsoleCue>) {
    let new =
        |part: Selector, strip: &soundtrack::Strip, group: &str, cue: Option<usize>| ConsoleStrip {
            part,
            part_name: session.part_name(part).unwrap_or_default(),
            name: strip.name.clone(),
            group: group.to_owned(),
            cue,
            meter: None,
            has_pan_automation: strip.pan_curve != soundtrack::Curve::new(),
            loaded: Controls::of(strip),
            now: Controls::of(strip),
            peak: None,
            held_peak: None,
            reduction: 0.0,
        };
    let tracks = session.track_ids().zip(session.tracks());
    let mut strips: Vec<ConsoleStrip> = tracks
        .map(|(id, track)| new(id.into(), &track.strip, "track", None))
        .collect();
    let mut cues = Vec::new();
    let placed = session.cues().iter().enumerate();
    for (in_session, cue) in placed.filter(|(_, cue)| !cue.uses.is_empty()) {
        let part_name = format!("cue.{}", cue.name);
        let Ok(part @ Selector::Cue(id)) = session.part(&part_name) else {
            continue;
        };
        let index = cues.len();
        cues.push(ConsoleCue {
            part,
            part_name,
            is_muted: cue.mute,
        });
        for (number, track) in cue.tracks.iter().enumerate() {
            strips.push(ConsoleStrip {
                meter: Some((in_session, number)),
                ..new((id, number).into(), &track.strip, &cue.name, Some(index))
            });
        }
    }
    let buses = session.bus_ids().zip(session.buses());
    strips.extend(buses.map(|(id, bus)| new(id.into(), &bus.strip, "bus", None)));
    (strips, cues)
}

#[cfg(test)]
mod tests {
    use super::*;
    use soundtrack::{Bus, Cue, Layout, Marker, PlayerBuilder, Spec, Track, Use, media::Memory};
    use std::fs;

    const RATE: SampleRate = SampleRate::HZ_48000;

    /// Returns the console of a paused session with a track, a bus and a cue, saved in a file of a folder.
    fn console(folder: &std::path::Path) -> Console {
        let tone = || {
            let spec = Spec {
                rate: RATE,
                layout: Layout::Mono,
            };
            Memory::new(spec, vec![vec![0.1; 480_000]]).unwrap()
        };
        let mut session = Session::new(RATE, Layout::Stereo);
        let band = session.add_bus(Bus::new("band"));
        session.add_track(Track::new("vox", tone()).to(band));
        session.add_cue(
            Cue::new("storm")
                .track(Track::new("celli", tone()))
                .used(Use::at(Frames(96_000))),
        );
        session.markers.push(Marker {
            at: Frames(240_000),
            name: "verse".into(),
        });
        let plan = Plan::compile(&session).unwrap();
        let player = PlayerBuilder::new().paused(true).null(&session).unwrap();
        let target = SaveTarget::SessionFile(folder.join("s.toml"));
        Console::new(player, &session, &plan, target, false)
    }

    fn press(console: &mut Console, actions: &[Action]) {
        for action in actions {
            assert!(console.execute(*action, 80));
        }
        console.player.wait(Duration::from_secs(5));
    }

    #[test]
    fn keys_change_the_selected_strip_and_the_balance() {
        let folder = tempfile::tempdir().unwrap();
        let mut console = console(folder.path());
        use Action::{Gain, LastStrip, Mute, MuteCue, NextStrip, Pan, Reset, Solo};
        press(
            &mut console,
            &[Gain(-1.0), Gain(-0.1), Gain(-0.1), Pan(-0.05), Mute],
        );
        assert_eq!(
            console.unsaved_settings(),
            [
                "--set track.vox.gain=-1.2",
                "--set track.vox.pan=L5",
                "--set track.vox.mute=true"
            ]
        );
        press(
            &mut console,
            &[
                Reset,
                NextStrip,
                Solo,
                MuteCue,
                NextStrip,
                NextStrip,
                Gain(1.0),
            ],
        );
        assert_eq!(
            console.unsaved_settings(),
            [
                "--set cue.storm.track.celli.solo=true",
                "--set cue.storm.mute=true",
                "--set master.gain=1"
            ]
        );
        press(&mut console, &[Mute, LastStrip]);
        let names: Vec<String> = console.view().strips.into_iter().map(|s| s.name).collect();
        assert_eq!(names, ["vox", "celli", "band"]);
        assert_eq!(console.view().selected, Some(2));
    }

    #[test]
    fn a_fader_ends_at_silence_and_at_24_decibels() {
        let folder = tempfile::tempdir().unwrap();
        let mut console = console(folder.path());
        press(&mut console, &[Action::Gain(1.0); 30]);
        assert_eq!(console.view().strips[0].gain, Decibels(24.0));
        press(&mut console, &[Action::Gain(-1.0); 100]);
        assert_eq!(console.view().strips[0].gain, Decibels::SILENCE);
        press(&mut console, &[Action::Gain(1.0)]);
        assert_eq!(console.view().strips[0].gain, Decibels(-69.0));
    }

    #[test]
    fn markers_and_loops_are_exact_frames() {
        let folder = tempfile::tempdir().unwrap();
        let mut console = console(folder.path());
        press(&mut console, &[Action::NextMarker]);
        assert_eq!(console.player.position(), Frames(96_000));
        assert_eq!(console.view().timeline.passed.as_deref(), Some("storm"));
        press(&mut console, &[Action::LoopStart, Action::NextMarker]);
        press(&mut console, &[Action::LoopEnd]);
        assert_eq!(
            console.loop_range(),
            Some((Frames(96_000), Frames(240_000)))
        );
        assert_eq!(console.view().message, "loop 00:00:02.000 to 00:00:05.000");
        // The position is behind the loop, so it goes to the start.
        assert_eq!(console.player.position(), Frames(96_000));
        press(&mut console, &[Action::ToggleLoop, Action::Forward]);
        press(&mut console, &[Action::LastMarker]);
        assert_eq!(console.view().timeline.loop_range, None);
        press(&mut console, &[Action::NextMarker]);
        assert_eq!(console.player.position(), Frames(240_000));
        press(&mut console, &[Action::Forward]);
        assert_eq!(console.player.position(), Frames(480_000));
        press(&mut console, &[Action::Help, Action::Quit]);
        assert!(!console.execute(Action::Quit, 80));
    }

    #[test]
    fn saving_edits_the_session_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        fs::write(
            &path,
            "rate = 48000\n[track.vox] # hers\nfile = \"v.wav\"\n[bus.band]\n",
        )
        .unwrap();
        let mut console = console(folder.path());
        press(&mut console, &[Action::Gain(-1.0), Action::Save]);
        assert_eq!(
            console.view().message,
            format!("saved {} (1 change)", path.display())
        );
        assert!(console.unsaved_settings().is_empty());
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "rate = 48000\n[track.vox] # hers\nfile = \"v.wav\"\ngain = -1\n[bus.band]\n"
        );
        fs::remove_file(&path).unwrap();
        press(&mut console, &[Action::Gain(-1.0), Action::Save]);
        assert!(
            console.view().message.starts_with("not saved: "),
            "{}",
            console.view().message
        );
    }
}
