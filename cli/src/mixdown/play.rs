//! `--play`: plays the mix, on a mixing console if a person is at the terminal.
//!
//! ```text
//! keys ─► console ─► Player        console: strips, loop, markers, saving
//!            └─► View ─► screen    screen: a pure function from the view to the cells; scale: decibels to rows
//! terminal                         raw mode, keys, drawing
//! ```

mod console;
mod keys;
mod scale;
mod screen;
mod terminal;

use super::{
    args::Args, balance, hints, inputs::InputKind, interrupt::Interrupt, mute_solo, output_path,
    session,
};
use crate::{failure::Failure, messages::Messages, range, text::counted};
use console::{Console, SaveTarget};
use soundtrack::{Frames, Plan, Player, PlayerBuilder, Session, State};
use std::{
    env,
    io::{self, IsTerminal as _},
    path::Path,
    time::{Duration, Instant},
};
use terminal::Terminal;

/// Name of the device that needs no hardware.
const NULL_DEVICE: &str = "null";
const DRAW_INTERVAL: Duration = Duration::from_millis(66);
/// Interval at which the console reads keys and meters. The peak of a meter falls by 0.3 dB in this time.
const METER_INTERVAL: Duration = Duration::from_millis(10);
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
    let player = open(device, &session, start)?;
    let has_user = io::stdin().is_terminal()
        && io::stderr().is_terminal()
        && !messages.json
        && !messages.quiet;
    let unsaved = interrupt.while_writing(|| {
        if has_user {
            let saves_to = save_target(inputs, &session);
            let has_colour = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            let mut console = Console::new(player.clone(), &session, &plan, saves_to, has_colour);
            play_interactively(&mut console, interrupt).map_err(Failure::Print)
        } else {
            play_unattended(&player, &session, messages, interrupt).map(|()| Vec::new())
        }
    })?;
    if !unsaved.is_empty() {
        messages.note("the balance has changed and was not saved (w saves it):");
        messages.line(&format!("  {}", unsaved.join(" ")));
    }
    report_faults(&player, messages);
    Ok(if interrupt.is_requested() {
        interrupt.exit_code()
    } else {
        0
    })
}

/// Returns where the console saves the balance: the session file, or a new one in the current folder.
fn save_target(inputs: &[InputKind], session: &Session) -> SaveTarget {
    match inputs {
        [InputKind::Session(path)] => SaveTarget::SessionFile(path.clone()),
        [InputKind::Demo] => SaveTarget::NewFile(balance::free_path(
            Path::new(output_path::DEMO),
            "soundtrack",
        )),
        _ => SaveTarget::NewFile(balance::free_path(Path::new(""), &session.title)),
    }
}

/// Prints underruns and the warnings about stems.
fn report_faults(player: &Player, messages: Messages) {
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

/// Shows the console until the user quits. Returns what was changed and not saved, as options of the command line.
fn play_interactively(console: &mut Console, interrupt: &Interrupt) -> io::Result<Vec<String>> {
    let mut terminal = Terminal::enter()?;
    let mut last_drawn: Option<Instant> = None;
    loop {
        let actions = terminal.read_actions(METER_INTERVAL)?;
        let has_input = !actions.is_empty();
        for action in actions {
            if !console.execute(action, terminal.columns()) {
                return Ok(console.unsaved_settings());
            }
        }
        if interrupt.is_requested() {
            return Ok(console.unsaved_settings());
        }
        console.read_meters();
        if has_input || last_drawn.is_none_or(|last| last.elapsed() >= DRAW_INTERVAL) {
            last_drawn = Some(Instant::now());
            let view = console.view();
            terminal.draw(|frame| screen::draw(&view, frame.buffer_mut()))?;
        }
    }
}
