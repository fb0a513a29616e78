//! The console of `--play` in a real terminal: keys in, screens out, through tmux.
#![cfg(unix)]

use soundtrack_test_support::{
    desk::{Desk, program},
    requirement,
};
use std::{
    fs,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

/// A session of tmux with a server of its own, which runs `mixdown` and ends with the value.
struct TerminalSession {
    socket: String,
}

impl TerminalSession {
    /// Starts a program in a terminal of this size. Returns `None` without tmux.
    fn start(name: &str, desk: &Desk, arguments: &str, columns: u16, rows: u16) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            requirement::missing("tmux is not installed");
            return None;
        }
        let session = Self {
            socket: format!("soundtrack-{name}-{}", std::process::id()),
        };
        let command = format!(
            "cd '{}' && '{}' {arguments}; echo exit code $?; sleep 60",
            desk.path("").display(),
            program().display()
        );
        let (x, y) = (columns.to_string(), rows.to_string());
        session.tmux(&["new-session", "-d", "-s", "s", "-x", &x, "-y", &y, &command]);
        Some(session)
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.args(["-u", "-L", &self.socket, "-f", "/dev/null"]);
        command
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8");
        let ended = command.args(arguments).output().unwrap();
        String::from_utf8_lossy(&ended.stdout).into_owned()
    }

    fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys", "-t", "s"], keys].concat());
    }

    fn resize(&self, columns: u16, rows: u16) {
        let (x, y) = (columns.to_string(), rows.to_string());
        self.tmux(&["resize-window", "-t", "s", "-x", &x, "-y", &y]);
    }

    /// Waits until the screen satisfies a condition and returns it.
    fn wait_for(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.tmux(&["capture-pane", "-p", "-t", "s"]);
            if is_there(&screen) {
                return screen;
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "no {what} in:\n{screen}"
            );
            sleep(Duration::from_millis(50));
        }
    }

    fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text))
    }
}

impl Drop for TerminalSession {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

const SESSION: &str = "title = \"Harbour\" # the song\nrate = 48000\nfps = \"24\"\nstart = \"01:00:00:00\"\nlength = \"5m\"\n\n\
    [bus.band]\n\n[track.vox]\nfile = \"a.wav\" # take 3\nbus = \"band\"\n\n[track.bass]\nfile = \"b.wav\"\n\n\
    [cue.storm]\nat = \"01:00:10:00\"\n[cue.storm.track.celli]\nfile = \"a.wav\"\n";

#[test]
fn keys_balance_a_session_and_save_it() {
    let desk = Desk::with_tones();
    desk.write("song.toml", SESSION);
    let Some(terminal) = TerminalSession::start("save", &desk, "song.toml --play=null", 80, 24)
    else {
        return;
    };
    let screen = terminal.wait_for_text("▶ 01:00:0");
    for name in [
        "Harbour",
        "vox",
        "bass",
        "celli",
        "band",
        "master",
        "of 01:05:00:00",
    ] {
        assert!(screen.contains(name), "{name} in:\n{screen}");
    }
    terminal.press(&["Down", "Down", "Down", "Right", "m", "Right", "s"]);
    terminal.wait_for("the selected cue track with a solo", |screen| {
        screen.contains(" -3.0 ") && screen.contains("◂  0.0▸") && screen.contains("· S")
    });
    terminal.press(&[".", "Space"]);
    terminal.wait_for_text("‖ 01:00:1");
    terminal.press(&["?"]);
    terminal.wait_for_text("save the balance in the session file");
    terminal.press(&["q"]);
    terminal.wait_for("the console without help", |screen| {
        !screen.contains("save the balance in")
    });
    terminal.press(&["w"]);
    terminal.wait_for_text("saved song.toml (3 changes)");
    terminal.press(&["q"]);
    let screen = terminal.wait_for_text("exit code 0");
    assert!(!screen.contains("not saved"), "{screen}");
    let saved = fs::read_to_string(desk.path("song.toml")).unwrap();
    for kept in [
        "title = \"Harbour\" # the song",
        "file = \"a.wav\" # take 3\nbus = \"band\"\ngain = -3",
        "[track.bass]\nfile = \"b.wav\"\nmute = true",
        "solo = true",
    ] {
        assert!(saved.contains(kept), "{kept:?} in:\n{saved}");
    }
}

#[test]
fn the_console_is_drawn_anew_at_every_size() {
    let desk = Desk::with_tones();
    desk.write("song.toml", SESSION);
    let Some(terminal) = TerminalSession::start("size", &desk, "song.toml --play=null", 200, 50)
    else {
        return;
    };
    terminal.wait_for_text("momentary");
    for (columns, rows) in [(60, 16), (59, 24), (80, 24), (200, 30), (60, 20)] {
        terminal.resize(columns, rows);
        let is_small = columns < 60;
        let screen = terminal.wait_for("the new size", |screen| {
            let lines: Vec<&str> = screen.trim_end().lines().collect();
            if is_small {
                screen.contains("the console needs 60 columns") && lines.len() == 3
            } else {
                // The keys are in the last row, and nothing of another size is left.
                lines.len() == usize::from(rows)
                    && screen.matches("▶ 01:00:").count() == 1
                    && screen.matches("space play").count() == 1
                    && screen.matches("master").count() == 1
            }
        });
        assert!(
            screen
                .lines()
                .all(|line| line.chars().count() <= usize::from(columns))
        );
    }
    terminal.press(&["Up", "q"]);
    let screen = terminal.wait_for_text("exit code 0");
    let screen = screen.replace('\n', " ");
    assert!(screen.contains("--set track.vox.gain=1"), "{screen}");
}

#[test]
fn a_folder_is_saved_as_a_new_session() {
    let desk = Desk::with_tones();
    let Some(terminal) =
        TerminalSession::start("folder", &desk, "a.wav b.wav@-2:L20 --play=null", 80, 24)
    else {
        return;
    };
    terminal.wait_for_text("momentary");
    terminal.press(&["Down", "w"]);
    terminal.wait_for_text("saved mix.toml (1 change)");
    terminal.press(&["C-c"]);
    terminal.wait_for_text("exit code 0");
    let saved = fs::read_to_string(desk.path("mix.toml")).unwrap();
    assert!(
        saved.contains("gain = -1") && saved.contains("pan = \"L20\""),
        "{saved}"
    );
    desk.run(&["mix.toml"]).expect(0, "");
}
