//! Translates keys into actions. `m` and `s` wait for the number of a track.

/// Action that a key, or a key with a number, asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAction {
    PlayOrPause,
    Back,
    Forward,
    Start,
    Louder,
    Quieter,
    /// Toggles the mute of a track, counted from 0.
    Mute(usize),
    /// Toggles the solo of a track, counted from 0.
    Solo(usize),
    Quit,
}

/// A key, independent of the terminal library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Left,
    Right,
    Up,
    Down,
    Enter,
    Escape,
}

/// Parses keys, and holds a letter and a number that are not complete yet.
pub struct KeyParser {
    tracks: usize,
    /// `m` or `s`, and the number that follows it so far.
    typed: Option<(char, usize)>,
}

impl KeyParser {
    /// Creates a parser for a session with this number of tracks.
    pub fn new(tracks: usize) -> Self {
        Self {
            tracks,
            typed: None,
        }
    }

    /// Returns the letter and the digits that wait for more, for the status line.
    pub fn pending(&self) -> String {
        match self.typed {
            Some((letter, 0)) => letter.to_string(),
            Some((letter, number)) => format!("{letter}{number}"),
            None => String::new(),
        }
    }

    /// Parses a key. A number is complete with Enter, or once no track has a longer number that begins with it.
    pub fn press(&mut self, key: Key) -> Option<KeyAction> {
        let typed = self.typed.take();
        match (key, typed) {
            (Key::Char(c), Some((letter, number))) if c.is_ascii_digit() => {
                let number = number * 10 + usize::from(c as u8 - b'0');
                if number * 10 <= self.tracks {
                    self.typed = Some((letter, number));
                    return None;
                }
                self.track_action(letter, number)
            }
            (Key::Enter, Some((letter, number))) => self.track_action(letter, number),
            (Key::Char(letter @ ('m' | 's')), _) => {
                self.typed = Some((letter, 0));
                None
            }
            (Key::Char(' '), _) => Some(KeyAction::PlayOrPause),
            (Key::Char('0'), _) => Some(KeyAction::Start),
            (Key::Char('q'), _) | (Key::Escape, None) => Some(KeyAction::Quit),
            (Key::Left, _) => Some(KeyAction::Back),
            (Key::Right, _) => Some(KeyAction::Forward),
            (Key::Up, _) => Some(KeyAction::Louder),
            (Key::Down, _) => Some(KeyAction::Quieter),
            _ => None,
        }
    }

    /// Returns the action on a track, counted from 1, if it exists.
    fn track_action(&self, letter: char, number: usize) -> Option<KeyAction> {
        let track = number.checked_sub(1).filter(|n| *n < self.tracks)?;
        Some(if letter == 'm' {
            KeyAction::Mute(track)
        } else {
            KeyAction::Solo(track)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(tracks: usize, text: &str) -> Vec<KeyAction> {
        let mut keys = KeyParser::new(tracks);
        let key = |c| if c == '\n' { Key::Enter } else { Key::Char(c) };
        text.chars().filter_map(|c| keys.press(key(c))).collect()
    }

    #[test]
    fn a_number_is_complete_when_no_track_has_a_longer_one() {
        assert_eq!(typed(7, "m3s1"), [KeyAction::Mute(2), KeyAction::Solo(0)]);
        assert_eq!(typed(7, "m8m0 "), [KeyAction::PlayOrPause]);
        assert_eq!(
            typed(12, "m1\nm12s2"),
            [KeyAction::Mute(0), KeyAction::Mute(11), KeyAction::Solo(1)]
        );
        assert_eq!(
            typed(128, "s100m12\n"),
            [KeyAction::Solo(99), KeyAction::Mute(11)]
        );
        assert_eq!(typed(3, "mq"), [KeyAction::Quit]);
    }
}
