//! From keys to deeds: `m` and `s` wait for the number of a track.

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    PlayOrPause,
    Back,
    Forward,
    Start,
    Louder,
    Quieter,
    /// A track, counted from 0.
    Mute(usize),
    /// A track, counted from 0.
    Solo(usize),
    Leave,
}

/// A key, apart from any terminal.
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

/// Keys typed so far.
pub struct Keys {
    tracks: usize,
    /// `m` or `s`, and the number that follows it so far.
    typed: Option<(char, usize)>,
}

impl Keys {
    pub fn new(tracks: usize) -> Self {
        Self {
            tracks,
            typed: None,
        }
    }

    /// What waits for more digits, to be shown.
    pub fn pending(&self) -> String {
        match self.typed {
            Some((letter, 0)) => letter.to_string(),
            Some((letter, number)) => format!("{letter}{number}"),
            None => String::new(),
        }
    }

    /// Takes a key. A number is complete with Enter, or when no track has a longer one.
    pub fn press(&mut self, key: Key) -> Option<Deed> {
        let typed = self.typed.take();
        match (key, typed) {
            (Key::Char(digit @ '0'..='9'), Some((letter, number))) => {
                let number = number * 10 + digit.to_digit(10).unwrap_or_default() as usize;
                if number * 10 <= self.tracks {
                    self.typed = Some((letter, number));
                    return None;
                }
                self.strip(letter, number)
            }
            (Key::Enter, Some((letter, number))) => self.strip(letter, number),
            (Key::Char(letter @ ('m' | 's')), _) => {
                self.typed = Some((letter, 0));
                None
            }
            (Key::Char(' '), _) => Some(Deed::PlayOrPause),
            (Key::Char('0'), _) => Some(Deed::Start),
            (Key::Char('q'), _) | (Key::Escape, None) => Some(Deed::Leave),
            (Key::Left, _) => Some(Deed::Back),
            (Key::Right, _) => Some(Deed::Forward),
            (Key::Up, _) => Some(Deed::Louder),
            (Key::Down, _) => Some(Deed::Quieter),
            _ => None,
        }
    }

    fn strip(&self, letter: char, number: usize) -> Option<Deed> {
        let track = number.checked_sub(1).filter(|n| *n < self.tracks)?;
        Some(if letter == 'm' {
            Deed::Mute(track)
        } else {
            Deed::Solo(track)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(tracks: usize, text: &str) -> Vec<Deed> {
        let mut keys = Keys::new(tracks);
        let key = |c| if c == '\n' { Key::Enter } else { Key::Char(c) };
        text.chars().filter_map(|c| keys.press(key(c))).collect()
    }

    #[test]
    fn a_number_is_complete_when_no_track_has_a_longer_one() {
        assert_eq!(typed(7, "m3s1"), [Deed::Mute(2), Deed::Solo(0)]);
        assert_eq!(typed(7, "m8m0 "), [Deed::PlayOrPause]);
        assert_eq!(
            typed(12, "m1\nm12s2"),
            [Deed::Mute(0), Deed::Mute(11), Deed::Solo(1)]
        );
        assert_eq!(typed(128, "s100m12\n"), [Deed::Solo(99), Deed::Mute(11)]);
        assert_eq!(typed(3, "mq"), [Deed::Leave]);
    }
}
