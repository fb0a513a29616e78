//! Puts the terminal into raw mode, reads keys and draws the status line.

use super::keys::{Key, KeyAction, KeyParser};
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

/// The terminal in raw mode. Dropping it restores the terminal, also on a panic.
pub struct Terminal(());

impl Terminal {
    /// Enters raw mode, hides the cursor and prints the keys.
    pub fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        // From here on an error restores the terminal.
        let terminal = Self(());
        execute!(
            stderr(),
            Print(
                "space: play or pause, arrows: seek and gain, m/s and a number: mute and solo, 0: start, q: quit\r\n"
            ),
            Hide
        )?;
        Ok(terminal)
    }

    /// Returns the width of the terminal.
    pub fn columns(&self) -> usize {
        // Some terminals report no width, or 0.
        size()
            .ok()
            .map(|(columns, _)| columns.into())
            .filter(|n| *n > 0)
            .unwrap_or(80)
    }

    /// Waits for keys, at most this long, and returns their actions.
    pub fn read_actions(
        &self,
        timeout: Duration,
        keys: &mut KeyParser,
    ) -> io::Result<Vec<KeyAction>> {
        let mut actions = Vec::new();
        let mut wait = timeout;
        while event::poll(wait)? {
            wait = Duration::ZERO;
            let Event::Key(key) = event::read()? else {
                continue;
            };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            let is_interrupt = key.modifiers.contains(KeyModifiers::CONTROL)
                && matches!(key.code, KeyCode::Char('c' | 'd'));
            let key = match key.code {
                _ if is_interrupt => Key::Char('q'),
                KeyCode::Char(c) => Key::Char(c),
                KeyCode::Left => Key::Left,
                KeyCode::Right => Key::Right,
                KeyCode::Up => Key::Up,
                KeyCode::Down => Key::Down,
                KeyCode::Enter => Key::Enter,
                KeyCode::Esc => Key::Escape,
                _ => continue,
            };
            actions.extend(keys.press(key));
        }
        Ok(actions)
    }

    /// Draws the status line in place of the last one.
    pub fn draw(&self, text: &str) -> io::Result<()> {
        execute!(
            stderr(),
            MoveToColumn(0),
            Print(text),
            Clear(ClearType::UntilNewLine)
        )
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring; each step is tried even if the other fails.
        let _ = execute!(stderr(), Show, Print("\r\n"));
        let _ = disable_raw_mode();
    }
}
