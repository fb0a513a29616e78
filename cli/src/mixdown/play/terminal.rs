//! The terminal of the console: raw mode, keys, and drawing through `ratatui`.

use super::keys::{self, Action, Key};
use crossterm::{
    cursor::Show,
    event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{Frame, backend::CrosstermBackend};
use std::{
    io::{self, BufWriter, Stderr, stderr},
    time::Duration,
};

/// The terminal in raw mode, on its alternate screen. Dropping it restores the terminal, also on a panic.
pub struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<BufWriter<Stderr>>>,
    _restore: Restore,
}

/// Restores the terminal when it is dropped.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring; each step is tried even if the other fails.
        let _ = execute!(stderr(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

impl Terminal {
    /// Enters raw mode and the alternate screen.
    pub fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        // From here on an error restores the terminal.
        let restore = Restore;
        execute!(stderr(), EnterAlternateScreen)?;
        let mut inner = ratatui::Terminal::new(CrosstermBackend::new(BufWriter::new(stderr())))?;
        inner.clear()?;
        Ok(Self {
            inner,
            _restore: restore,
        })
    }

    /// Returns the width of the terminal in columns.
    pub fn columns(&self) -> u16 {
        self.inner.size().map_or(80, |size| size.width)
    }

    /// Waits for keys, at most this long, and returns their actions.
    pub fn read_actions(&self, timeout: Duration) -> io::Result<Vec<Action>> {
        let mut actions = Vec::new();
        let mut wait = timeout;
        while event::poll(wait)? {
            wait = Duration::ZERO;
            if let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
            {
                actions.extend(action(key));
            }
        }
        Ok(actions)
    }

    /// Draws the screen; sends only the cells that have changed.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame)) -> io::Result<()> {
        self.inner.draw(draw).map(|_| ())
    }
}

fn action(key: KeyEvent) -> Option<Action> {
    let is_interrupt = key.modifiers.contains(KeyModifiers::CONTROL)
        && matches!(key.code, KeyCode::Char('c' | 'd'));
    let key = match key.code {
        _ if is_interrupt => return Some(Action::Interrupt),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Tab => Key::Char('\t'),
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Esc => Key::Escape,
        _ => return None,
    };
    Some(keys::action(key))
}
