//! `--play`: the mix aloud, with a line that shows it and keys that control it.
//!
//! ```text
//! ▶ 00:00:12.340 of 00:00:32.000  [#######-----]  -9.8 dB   1▆ 2▃ 3m 4▁ 5·    2 underruns
//! ```

mod keys;
mod line;
mod terminal;

use super::{args::Args, stop::Stop};
use crate::{failure::Failure, voice::Voice};
use keys::{Deed, Keys};
use soundtrack::{Decibels, Frames, Player, PlayerBuilder, Selector, Session, State, TrackId};
use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};
use terminal::Terminal;

/// The device that needs no hardware.
const NULL: &str = "null";
/// How often the line is drawn.
const DRAW: Duration = Duration::from_millis(66);
/// How far an arrow goes.
const STEP: Duration = Duration::from_secs(5);
/// One step of the master's fader.
const FADER: f64 = 1.0;
/// Without a terminal it only looks whether it ended.
const LOOK: Duration = Duration::from_millis(100);

/// Plays the session from a frame on; the exit code.
pub fn listen(
    args: &Args,
    session: &Session,
    at: Frames,
    voice: Voice,
    stop: &Stop,
) -> Result<u8, Failure> {
    let player = open(args.play.as_deref().unwrap_or_default(), session, at)?;
    let keyboard = std::io::stdin().is_terminal()
        && std::io::stderr().is_terminal()
        && !voice.json
        && !voice.quiet;
    stop.while_writing(|| {
        if keyboard {
            interactive(&player, session, stop)
        } else {
            unattended(&player, session, voice, stop)
        }
    })?;
    let underruns = player.underruns();
    if underruns.count > 0 {
        let s = if underruns.count == 1 { "" } else { "s" };
        voice.caution(&format!(
            "{} underrun{s}, {} frames of silence",
            underruns.count, underruns.frames
        ));
    }
    for warning in player.warnings() {
        voice.caution(&warning.to_string());
    }
    drop(player);
    Ok(if stop.asked() { stop.exit_code() } else { 0 })
}

#[cfg(feature = "device")]
fn open(device: &str, session: &Session, at: Frames) -> Result<Player, Failure> {
    let play = PlayerBuilder::new().at(at);
    let opened = match device {
        NULL => play.null(session),
        "" => play.device(session, None),
        name => play.device(session, Some(name)),
    };
    opened.map_err(|e| {
        let hints = if e.kind() == soundtrack::ErrorKind::Device {
            vec![
                "the example `devices` lists what can be played on".to_owned(),
                "--play=null plays without hardware, and without --play a file is written"
                    .to_owned(),
            ]
        } else {
            Vec::new()
        };
        Failure::Audio(e, hints)
    })
}

#[cfg(not(feature = "device"))]
fn open(device: &str, session: &Session, at: Frames) -> Result<Player, Failure> {
    if device == NULL {
        return Ok(PlayerBuilder::new().at(at).null(session)?);
    }
    let what = "this program was built without output to devices";
    let hints = vec![
        "build it with `--features device` (on Linux it needs the package libasound2-dev)"
            .to_owned(),
        "--play=null plays without hardware".to_owned(),
    ];
    Err(Failure::Audio(
        soundtrack::Error::new(soundtrack::ErrorKind::Device, what),
        hints,
    ))
}

/// Plays to the end, says where it started and how it ended.
fn unattended(
    player: &Player,
    session: &Session,
    voice: Voice,
    stop: &Stop,
) -> Result<(), Failure> {
    let place = |at: Frames| at.clock(session.rate);
    voice.note(&format!(
        "playing from {} to {}",
        place(player.position()),
        place(player.length())
    ));
    while player.wait(LOOK) == State::Playing && !stop.asked() {}
    match player.fault() {
        Some(fault) => Err(fault.into()),
        None => Ok(()),
    }
}

/// Plays until the user leaves, or the mix ends.
fn interactive(player: &Player, session: &Session, stop: &Stop) -> Result<(), Failure> {
    let terminal = Terminal::take().map_err(Failure::Print)?;
    let switches =
        |on: fn(&soundtrack::Track) -> bool| session.tracks().iter().map(on).collect::<Vec<bool>>();
    let (mut muted, mut soloed) = (switches(|t| t.strip.mute), switches(|t| t.strip.solo));
    let mut keys = Keys::new(session.tracks().len());
    let mut master = session.master.gain.0;
    let step = Frames::from_duration(STEP, session.rate);
    let mut drawn: Option<Instant> = None;
    while !stop.asked() && player.state() != State::Ended {
        for deed in terminal.deeds(DRAW, &mut keys).map_err(Failure::Print)? {
            match deed {
                Deed::Leave => return terminal.end().map_err(Failure::Print),
                Deed::PlayOrPause if player.state() == State::Playing => player.pause(),
                Deed::PlayOrPause => player.play(),
                Deed::Back => player.seek(player.position() - step),
                Deed::Forward => player.seek(player.position() + step),
                Deed::Start => player.seek(Frames::ZERO),
                Deed::Louder | Deed::Quieter => {
                    master += if deed == Deed::Louder { FADER } else { -FADER };
                    player.set_gain(Selector::Master, Decibels(master));
                }
                Deed::Mute(n) => turn(&mut muted, session, n, |id, on| player.set_mute(id, on)),
                Deed::Solo(n) => turn(&mut soloed, session, n, |id, on| player.set_solo(id, on)),
            }
        }
        if drawn.is_none_or(|d| d.elapsed() >= DRAW) {
            drawn = Some(Instant::now());
            let text = line::line(
                player,
                session.rate,
                (&muted, &soloed),
                keys.pending(),
                terminal.columns(),
            );
            terminal.draw(&text).map_err(Failure::Print)?;
        }
    }
    terminal.end().map_err(Failure::Print)
}

/// Turns the switch of a track, counted from 0.
fn turn(switches: &mut [bool], session: &Session, n: usize, set: impl FnOnce(TrackId, bool)) {
    if let (Some(switch), Some(id)) = (switches.get_mut(n), session.track_ids().nth(n)) {
        *switch = !*switch;
        set(id, *switch);
    }
}
