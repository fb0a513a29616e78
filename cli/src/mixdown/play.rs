//! `--play`: plays the mix, with a status line and keys if a person is at the terminal.
//!
//! ```text
//! ▶ 00:00:12.340 of 00:00:32.000  [#######-----]  -9.8 dB   1▆ 2▃ 3m 4▁ 5·    2 underruns
//! ```

mod keys;
mod status_line;
mod terminal;

use super::{args::Args, hints, inputs::InputKind, interrupt::Interrupt, mute_solo, session};
use crate::{failure::Failure, messages::Messages, range, text::counted};
use keys::{KeyAction, KeyParser};
use soundtrack::{
    Decibels, Frames, Plan, Player, PlayerBuilder, Selector, Session, State, Track, TrackId,
};
use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};
use terminal::Terminal;

/// Name of the device that needs no hardware.
const NULL_DEVICE: &str = "null";
const DRAW_INTERVAL: Duration = Duration::from_millis(66);
/// Distance that an arrow key seeks.
const SEEK_STEP: Duration = Duration::from_secs(5);
/// Step of the master's fader in dB.
const FADER_STEP: f64 = 1.0;
/// Interval at which playback without a terminal is checked for its end.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Plays the mix of the inputs, or the part that `--range` names, and returns the exit code.
///
/// `device` is the name or the id of a device, empty for the default one.
///
/// # Errors
/// `Usage` for options that do not fit the inputs; errors of the library with hints.
pub fn run(
    device: &str,
    inputs: &[InputKind],
    args: &Args,
    messages: Messages,
    interrupt: &Interrupt,
) -> Result<u8, Failure> {
    let mut session = session::build(inputs, args, messages)?;
    session::set_master(&mut session, args);
    mute_solo::apply(&mut session, &args.mute, &args.solo).map_err(Failure::Usage)?;
    let plan =
        Plan::compile(&session).map_err(|e| Failure::Library(e, hints::for_tracks(&session)))?;
    let mut start = Frames::ZERO;
    if let Some(text) = &args.range {
        let (part, _) = range::parse(text, &session, plan.length())
            .map_err(|e| Failure::Usage(format!("--range {text}: {e}")))?;
        (start, session.length) = (part.start, Some(part.end));
    }
    play(device, &session, start, messages, interrupt)
}

/// Plays the session from a frame and returns the exit code.
fn play(
    device: &str,
    session: &Session,
    start: Frames,
    messages: Messages,
    interrupt: &Interrupt,
) -> Result<u8, Failure> {
    let player = open(device, session, start)?;
    let has_user = std::io::stdin().is_terminal()
        && std::io::stderr().is_terminal()
        && !messages.json
        && !messages.quiet;
    interrupt.while_writing(|| {
        if has_user {
            play_interactively(&player, session, interrupt)
        } else {
            play_unattended(&player, session, messages, interrupt)
        }
    })?;
    let underruns = player.underruns();
    if underruns.count > 0 {
        messages.warning(&format!(
            "{}, {} frames of silence",
            counted(underruns.count, "underrun"),
            underruns.frames
        ));
    }
    for warning in player.warnings() {
        messages.warning(&warning.to_string());
    }
    Ok(if interrupt.is_requested() {
        interrupt.exit_code()
    } else {
        0
    })
}

#[cfg(feature = "device")]
fn open(device: &str, session: &Session, start: Frames) -> Result<Player, Failure> {
    let builder = PlayerBuilder::new().at(start);
    let opened = match device {
        NULL_DEVICE => builder.null(session),
        "" => builder.device(session, None),
        name => builder.device(session, Some(name)),
    };
    opened.map_err(|e| {
        let hints = if e.kind() == soundtrack::ErrorKind::Device {
            vec![
                "run the example `devices` to list the output devices".to_owned(),
                "use --play=null to play without hardware, or no --play to write a file".to_owned(),
            ]
        } else {
            Vec::new()
        };
        Failure::Library(e, hints)
    })
}

#[cfg(not(feature = "device"))]
fn open(device: &str, session: &Session, start: Frames) -> Result<Player, Failure> {
    if device == NULL_DEVICE {
        return Ok(PlayerBuilder::new().at(start).null(session)?);
    }
    let text = "this program was built without output to devices";
    let hints = vec![
        "build it with `--features device` (on Linux this needs the package libasound2-dev)"
            .to_owned(),
        "use --play=null to play without hardware".to_owned(),
    ];
    Err(Failure::Library(
        soundtrack::Error::new(soundtrack::ErrorKind::Device, text),
        hints,
    ))
}

/// Plays to the end without a terminal.
fn play_unattended(
    player: &Player,
    session: &Session,
    messages: Messages,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    messages.note(&format!(
        "playing from {} to {}",
        player.position().clock(session.rate),
        player.length().clock(session.rate)
    ));
    while player.wait(POLL_INTERVAL) == State::Playing && !interrupt.is_requested() {}
    match player.fault() {
        Some(fault) => Err(fault.into()),
        None => Ok(()),
    }
}

/// Plays until the user quits or the mix ends.
fn play_interactively(
    player: &Player,
    session: &Session,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let terminal = Terminal::enter().map_err(Failure::Print)?;
    let mut strips = LiveStrips::of(session);
    let mut keys = KeyParser::new(session.tracks().len());
    let mut master_gain = session.master.gain.0;
    let step = Frames::from_duration(SEEK_STEP, session.rate);
    let mut last_drawn: Option<Instant> = None;
    while !interrupt.is_requested() && player.state() != State::Ended {
        let actions = terminal
            .read_actions(DRAW_INTERVAL, &mut keys)
            .map_err(Failure::Print)?;
        for action in actions {
            match action {
                KeyAction::Quit => return Ok(()),
                KeyAction::PlayOrPause if player.state() == State::Playing => player.pause(),
                KeyAction::PlayOrPause => player.play(),
                KeyAction::Back => player.seek(player.position() - step),
                KeyAction::Forward => player.seek(player.position() + step),
                KeyAction::Start => player.seek(Frames::ZERO),
                KeyAction::Louder => {
                    master_gain += FADER_STEP;
                    // Fails for NaN only.
                    let _ = player.set_gain(Selector::Master, Decibels(master_gain));
                }
                KeyAction::Quieter => {
                    master_gain -= FADER_STEP;
                    // Fails for NaN only.
                    let _ = player.set_gain(Selector::Master, Decibels(master_gain));
                }
                KeyAction::Mute(track) => strips.toggle_mute(track, player),
                KeyAction::Solo(track) => strips.toggle_solo(track, player),
            }
        }
        if last_drawn.is_none_or(|last| last.elapsed() >= DRAW_INTERVAL) {
            last_drawn = Some(Instant::now());
            let line = status_line::format(
                player,
                session.rate,
                &strips.states,
                &keys.pending(),
                terminal.columns(),
            );
            terminal.draw(&line).map_err(Failure::Print)?;
        }
    }
    Ok(())
}

/// Mute and solo of a track as the user has set them.
#[derive(Clone, Copy)]
struct StripState {
    is_muted: bool,
    is_soloed: bool,
}

/// Mute and solo of all tracks, in the order of the session.
struct LiveStrips {
    ids: Vec<TrackId>,
    states: Vec<StripState>,
}

impl LiveStrips {
    fn of(session: &Session) -> Self {
        let state = |track: &Track| StripState {
            is_muted: track.strip.mute,
            is_soloed: track.strip.solo,
        };
        Self {
            ids: session.track_ids().collect(),
            states: session.tracks().iter().map(state).collect(),
        }
    }

    /// Toggles the mute of a track, counted from 0. `KeyParser` returns only tracks that exist.
    fn toggle_mute(&mut self, track: usize, player: &Player) {
        if let (Some(state), Some(id)) = (self.states.get_mut(track), self.ids.get(track)) {
            state.is_muted = !state.is_muted;
            // The ids are those of the session that is played.
            let _ = player.set_mute(*id, state.is_muted);
        }
    }

    /// Toggles the solo of a track, counted from 0. `KeyParser` returns only tracks that exist.
    fn toggle_solo(&mut self, track: usize, player: &Player) {
        if let (Some(state), Some(id)) = (self.states.get_mut(track), self.ids.get(track)) {
            state.is_soloed = !state.is_soloed;
            let _ = player.set_solo(*id, state.is_soloed);
        }
    }
}
