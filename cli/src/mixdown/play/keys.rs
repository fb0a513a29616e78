//! Translates keys into actions.

/// Action that a key asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    PlayOrPause,
    Back,
    Forward,
    LastMarker,
    NextMarker,
    Start,
    LastStrip,
    NextStrip,
    LastPage,
    NextPage,
    FirstStrip,
    Master,
    /// Moves the fader by this many decibels.
    Gain(f64),
    /// Moves the pan by this much, -1 to 1.
    Pan(f64),
    Mute,
    MuteCue,
    Solo,
    ClearSwitches,
    Reset,
    LoopStart,
    LoopEnd,
    ToggleLoop,
    ClearPeaks,
    Save,
    Help,
    Quit,
    /// Quits even while the help is shown: Ctrl-C.
    Interrupt,
    /// A key without a meaning, which still closes the help.
    None,
}

/// A key, independent of the terminal library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Left,
    Right,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Escape,
}

/// Steps of a fader in dB and of a pan.
const STEP: f64 = 1.0;
const FINE_STEP: f64 = 0.1;
const PAN_STEP: f64 = 0.05;

/// Returns the action of a key.
pub fn action(key: Key) -> Action {
    match key {
        Key::Char(' ') => Action::PlayOrPause,
        Key::Char('b') => Action::Back,
        Key::Char('f') => Action::Forward,
        Key::Char(',') => Action::LastMarker,
        Key::Char('.') => Action::NextMarker,
        Key::Char('0') => Action::Start,
        Key::Left => Action::LastStrip,
        Key::Right => Action::NextStrip,
        Key::PageUp => Action::LastPage,
        Key::PageDown | Key::Char('\t') => Action::NextPage,
        Key::Home => Action::FirstStrip,
        Key::End => Action::Master,
        Key::Up => Action::Gain(STEP),
        Key::Down => Action::Gain(-STEP),
        Key::Char('+' | '=') => Action::Gain(FINE_STEP),
        Key::Char('-') => Action::Gain(-FINE_STEP),
        Key::Char('<') => Action::Pan(-PAN_STEP),
        Key::Char('>') => Action::Pan(PAN_STEP),
        Key::Char('m') => Action::Mute,
        Key::Char('M') => Action::MuteCue,
        Key::Char('s') => Action::Solo,
        Key::Char('u') => Action::ClearSwitches,
        Key::Char('r') => Action::Reset,
        Key::Char('[') => Action::LoopStart,
        Key::Char(']') => Action::LoopEnd,
        Key::Char('l') => Action::ToggleLoop,
        Key::Char('c') => Action::ClearPeaks,
        Key::Char('w') => Action::Save,
        Key::Char('?' | 'h') => Action::Help,
        Key::Char('q') | Key::Escape => Action::Quit,
        Key::Char(_) => Action::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_move_strips_and_faders() {
        let keys = [
            Key::Left,
            Key::Up,
            Key::Char('-'),
            Key::Char('<'),
            Key::Char('z'),
        ];
        assert_eq!(
            keys.map(action),
            [
                Action::LastStrip,
                Action::Gain(1.0),
                Action::Gain(-0.1),
                Action::Pan(-0.05),
                Action::None
            ]
        );
    }
}
