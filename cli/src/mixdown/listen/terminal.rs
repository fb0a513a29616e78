//! The terminal in raw mode, for as long as it is needed: given back however the program ends.

use super::keys::{Deed, Key, Keys};
use crossterm::{
    cursor::{Hide, MoveToColumn, Show},
    event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
    execute,
    style::Print,
    terminal::{Clear, ClearType, disable_raw_mode, enable_raw_mode, size},
};
use std::{
    io::{self, stderr},
    time::Duration,
};

pub struct Terminal(());

impl Terminal {
    pub fn take() -> io::Result<Self> {
        enable_raw_mode()?;
        let taken = Self(());
        execute!(
            stderr(),
            Print(
                "space plays and pauses, arrows move, m/s and a number mute and solo, 0 start, q leaves\r\n"
            ),
            Hide
        )?;
        Ok(taken)
    }

    pub fn columns(&self) -> usize {
        // Some terminals do not know how wide they are.
        size()
            .ok()
            .map(|(columns, _)| columns.into())
            .filter(|n| *n > 0)
            .unwrap_or(80)
    }

    /// Waits for keys, at most so long; what they ask for.
    pub fn deeds(&self, most: Duration, keys: &mut Keys) -> io::Result<Vec<Deed>> {
        let mut deeds = Vec::new();
        let mut wait = most;
        while event::poll(wait)? {
            wait = Duration::ZERO;
            let Event::Key(key) = event::read()? else {
                continue;
            };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            let ends = key.modifiers.contains(KeyModifiers::CONTROL)
                && matches!(key.code, KeyCode::Char('c' | 'd'));
            let key = match key.code {
                _ if ends => Key::Char('q'),
                KeyCode::Char(c) => Key::Char(c),
                KeyCode::Left => Key::Left,
                KeyCode::Right => Key::Right,
                KeyCode::Up => Key::Up,
                KeyCode::Down => Key::Down,
                KeyCode::Enter => Key::Enter,
                KeyCode::Esc => Key::Escape,
                _ => continue,
            };
            deeds.extend(keys.press(key));
        }
        Ok(deeds)
    }

    /// Draws the line anew.
    pub fn draw(&self, text: &str) -> io::Result<()> {
        execute!(
            stderr(),
            MoveToColumn(0),
            Print(text),
            Clear(ClearType::UntilNewLine)
        )
    }

    /// Gives the terminal back.
    pub fn end(self) -> io::Result<()> {
        drop(self);
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both are tried, whatever becomes of the other.
        let shown = execute!(stderr(), Show, Print("\r\n"));
        let cooked = disable_raw_mode();
        let _ = (shown, cooked);
    }
}
