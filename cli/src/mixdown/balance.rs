//! The balance of a mix: gain, pan, mute and solo of every strip; and how it gets into a session file.

use soundtrack::{Decibels, Load, Pan, Result, Selector, Session, Strip};
use std::path::{Path, PathBuf};

/// The controls of one strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    pub gain: Decibels,
    pub pan: Pan,
    pub is_muted: bool,
    pub is_soloed: bool,
}

impl Controls {
    /// Reads the controls of a track or a bus.
    pub fn of(strip: &Strip) -> Self {
        Self {
            gain: strip.gain,
            pan: strip.pan,
            is_muted: strip.mute,
            is_soloed: strip.solo,
        }
    }

    fn apply(self, strip: &mut Strip) {
        strip.gain = self.gain;
        strip.pan = self.pan;
        strip.mute = self.is_muted;
        strip.solo = self.is_soloed;
    }
}

/// Controls of all parts of a session, each with its name: `track.vox`, `cue.storm.violins`, `bus.music`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Balance {
    pub strips: Vec<(String, Controls)>,
    /// Mute of each cue, by `cue.NAME`.
    pub cues: Vec<(String, bool)>,
    pub master_gain: Decibels,
}

impl Balance {
    /// Applies the balance to a session. Leaves out parts that the session does not have.
    pub fn apply(&self, session: &mut Session) {
        for (name, controls) in &self.strips {
            if let Some(strip) = strip_mut(session, name) {
                controls.apply(strip);
            }
        }
        for (name, is_muted) in &self.cues {
            if let Ok(Selector::Cue(cue)) = session.part(name) {
                session.cue_mut(cue).mute = *is_muted;
            }
        }
        session.master.gain = self.master_gain;
    }

    /// Writes the balance into the session file at a path, which keeps its comments and order. The file is read anew, so
    /// that changes made to it since the start are kept.
    ///
    /// # Errors
    /// Passes on the errors of loading and saving.
    pub fn save_into(&self, path: &Path) -> Result<()> {
        let load = Load {
            outside: true,
            ..Load::default()
        };
        let mut session = load.session(path)?;
        self.apply(&mut session);
        session.save(path)
    }

    /// Returns the options `--set KEY=VALUE` that turn another balance of the same session into this one.
    pub fn settings_from(&self, before: &Self) -> Vec<String> {
        let mut settings = Vec::new();
        for ((name, now), (_, was)) in self.strips.iter().zip(&before.strips) {
            let key = set_key(name);
            let mut set = |key_of_strip: &str, value: String| {
                settings.push(format!("--set {key}.{key_of_strip}={value}"));
            };
            if now.gain != was.gain {
                set("gain", decibels(now.gain));
            }
            if now.pan != was.pan {
                set("pan", now.pan.to_string());
            }
            if now.is_muted != was.is_muted {
                set("mute", now.is_muted.to_string());
            }
            if now.is_soloed != was.is_soloed {
                set("solo", now.is_soloed.to_string());
            }
        }
        for ((name, now), (_, was)) in self.cues.iter().zip(&before.cues) {
            if now != was {
                settings.push(format!("--set {name}.mute={now}"));
            }
        }
        if self.master_gain != before.master_gain {
            settings.push(format!("--set master.gain={}", decibels(self.master_gain)));
        }
        settings
    }
}

/// Returns the key of a part in a session file: that of a cue's track has the word `track` in it.
fn set_key(part: &str) -> String {
    match part
        .strip_prefix("cue.")
        .and_then(|rest| rest.split_once('.'))
    {
        Some((cue, track)) => format!("cue.{cue}.track.{track}"),
        None => part.to_owned(),
    }
}

/// Formats a gain without a unit, as a session file has it.
fn decibels(gain: Decibels) -> String {
    if gain == Decibels::SILENCE {
        "-inf".to_owned()
    } else {
        format!("{}", (gain.0 * 100.0).round() / 100.0 + 0.0)
    }
}

fn strip_mut<'s>(session: &'s mut Session, name: &str) -> Option<&'s mut Strip> {
    match session.part(name).ok()? {
        Selector::Track(id) => Some(&mut session.track_mut(id).strip),
        Selector::Bus(id) => Some(&mut session.bus_mut(id).strip),
        Selector::CueTrack(cue, track) => {
            let track = session.cue_mut(cue).tracks.get_mut(track)?;
            Some(&mut track.strip)
        }
        _ => None,
    }
}

/// Returns a path that does not exist: `song.toml`, or else `song 2.toml`, `song 3.toml`.
pub fn free_path(folder: &Path, title: &str) -> PathBuf {
    let title = if title.is_empty() { "mix" } else { title };
    let mut path = folder.join(format!("{title}.toml"));
    let mut number = 2u64;
    while path.exists() {
        path = folder.join(format!("{title} {number}.toml"));
        number += 1;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use soundtrack::{Bus, Cue, Layout, SampleRate, Track};
    use std::fs;

    #[test]
    fn a_balance_is_saved_with_comments_and_order_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        let text = "rate = 48000 # of picture\n\n[bus.band]\n\n# Her second take.\n[track.vox]\nfile = \"vox.wav\"\nbus = \"band\"\n\n\
                    [cue.storm]\nat = \"1s\"\n[cue.storm.track.celli]\nfile = \"celli.wav\"\ngain = -2 # as in the score\n";
        fs::write(&path, text).unwrap();
        let controls = |gain, is_muted| Controls {
            gain: Decibels(gain),
            pan: Pan::CENTRE,
            is_muted,
            is_soloed: false,
        };
        let balance = Balance {
            strips: vec![
                ("track.vox".into(), controls(-3.0, false)),
                ("cue.storm.celli".into(), controls(-5.5, false)),
                ("bus.band".into(), controls(0.0, true)),
                ("track.gone".into(), controls(0.0, true)),
            ],
            cues: vec![("cue.storm".into(), false)],
            master_gain: Decibels(-1.0),
        };
        balance.save_into(&path).unwrap();
        let saved = fs::read_to_string(&path).unwrap();
        for kept in [
            "rate = 48000 # of picture",
            "# Her second take.",
            "gain = -5.5 # as in the score",
        ] {
            assert!(saved.contains(kept), "{saved}");
        }
        let session = Session::load(&path).unwrap();
        assert_eq!(session.tracks()[0].strip.gain, Decibels(-3.0));
        assert!(session.buses()[0].strip.mute);
        assert_eq!(session.master.gain, Decibels(-1.0));
    }

    #[test]
    fn settings_name_what_has_changed() {
        let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        session.add_bus(Bus::new("band"));
        session.add_cue(Cue::new("storm").track(Track::of("celli")));
        let controls = |gain| Controls {
            gain: Decibels(gain),
            pan: Pan::CENTRE,
            is_muted: false,
            is_soloed: false,
        };
        let balance = |gain, master| Balance {
            strips: vec![
                ("cue.storm.celli".into(), controls(gain)),
                ("bus.band".into(), controls(0.0)),
            ],
            cues: vec![("cue.storm".into(), gain < 0.0)],
            master_gain: Decibels(master),
        };
        assert_eq!(
            balance(-0.3, -1.0).settings_from(&balance(0.0, 0.0)),
            [
                "--set cue.storm.track.celli.gain=-0.3",
                "--set cue.storm.mute=true",
                "--set master.gain=-1"
            ]
        );
        assert!(
            balance(0.0, 0.0)
                .settings_from(&balance(0.0, 0.0))
                .is_empty()
        );
    }
}
