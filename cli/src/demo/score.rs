//! The score: notes and strokes with times and velocities. Data first, then the rules that read it.
//!
//! Eleven bars in D at 96 beats per minute, then the reverb decays:
//!
//! ```text
//! bar    0     1     2      3     4      5     | 6      7     8    9      | 10
//!        intro       build                     | peak                     | ending
//! chord  G△9   A9sus D△9    Bm9   G△9    A9sus | G△9    F♯m11 Em9  A13sus | D△9 ....
//! ```
//!
//! Times are in beats from the start, pitches are MIDI keys, velocities 0 to 1. Nothing here depends on a sample rate.

/// Length of every stem, a whole number of frames at every usual rate.
pub const SECONDS: f64 = 32.0;

const BEATS_PER_MINUTE: f64 = 96.0;
const BEATS_PER_BAR: f64 = 4.0;
/// Delay of the second sixteenth of each pair, in beats: a light swing.
const SWING: f64 = 0.035;

/// A note of one instrument.
#[derive(Clone, Copy)]
pub struct Note {
    /// Start in beats from the start of the piece.
    pub at: f64,
    /// Length in beats.
    pub beats: f64,
    /// MIDI key.
    pub key: i32,
    /// Velocity, 0 to 1.
    pub velocity: f64,
}

impl Note {
    /// Returns the start in seconds, swing included.
    pub fn start(&self) -> f64 {
        seconds(self.at)
    }

    /// Returns the length in seconds.
    pub fn held(&self) -> f64 {
        self.beats * 60.0 / BEATS_PER_MINUTE
    }

    /// Returns the frequency in equal temperament.
    pub fn hz(&self) -> f64 {
        440.0 * ((f64::from(self.key) - 69.0) / 12.0).exp2()
    }
}

/// Returns the time of a beat in seconds, with the off-beat sixteenths swung.
fn seconds(beat: f64) -> f64 {
    let sixteenth = (beat * 4.0).round();
    let late = if sixteenth % 2.0 == 1.0 { SWING } else { 0.0 };
    (beat + late) * 60.0 / BEATS_PER_MINUTE
}

/// Length of a beat in seconds.
pub const BEAT_SECONDS: f64 = 60.0 / BEATS_PER_MINUTE;

/// Harmony of a bar, as MIDI keys.
struct Chord {
    root: i32,
    /// Last bass note of the bar, which leads to the next root.
    lead_in: i32,
    upper: [i32; 4],
}

#[rustfmt::skip]
const CHORDS: [Chord; 11] = [
    Chord { root: 43, lead_in: 44, upper: [59, 62, 66, 69] }, // G maj9
    Chord { root: 45, lead_in: 37, upper: [55, 59, 62, 64] }, // A 9sus
    Chord { root: 38, lead_in: 37, upper: [54, 57, 61, 64] }, // D maj9
    Chord { root: 35, lead_in: 42, upper: [57, 61, 62, 66] }, // B m9
    Chord { root: 43, lead_in: 44, upper: [59, 62, 66, 69] }, // G maj9
    Chord { root: 45, lead_in: 42, upper: [55, 59, 62, 64] }, // A 9sus
    Chord { root: 43, lead_in: 40, upper: [59, 62, 66, 69] }, // G maj9
    Chord { root: 42, lead_in: 39, upper: [57, 61, 64, 71] }, // F# m11
    Chord { root: 40, lead_in: 44, upper: [55, 59, 62, 66] }, // E m9
    Chord { root: 45, lead_in: 37, upper: [55, 59, 62, 66] }, // A 13sus
    Chord { root: 38, lead_in: 38, upper: [54, 57, 61, 64] }, // D maj9
];

/// Last bar: all instruments play its first beat.
const ENDING: usize = 10;

/// Section of the piece.
#[derive(Clone, Copy)]
enum Section {
    Intro,
    Build,
    Peak,
    Ending,
}

fn section(bar: usize) -> Section {
    match bar {
        0..=1 => Section::Intro,
        2..=5 => Section::Build,
        6..=9 => Section::Peak,
        _ => Section::Ending,
    }
}

/// Returns the first beat, the section and the chord of every bar.
fn bars() -> impl Iterator<Item = (f64, Section, &'static Chord)> {
    CHORDS
        .iter()
        .enumerate()
        .map(|(bar, chord)| (bar as f64 * BEATS_PER_BAR, section(bar), chord))
}

/// Returns the notes of the pad: every chord held for its bar, the last one for the whole ending.
pub fn pad() -> Vec<Note> {
    let mut notes = Vec::new();
    for (at, section, chord) in bars() {
        let (beats, velocity) = match section {
            Section::Intro => (4.0, 0.9),
            Section::Build => (4.0, 0.6),
            Section::Peak => (4.0, 0.95),
            Section::Ending => (8.0, 0.9),
        };
        notes.extend(chord.upper.map(|key| Note {
            at,
            beats,
            key,
            velocity,
        }));
        notes.push(Note {
            at,
            beats,
            key: chord.root + 12,
            velocity: velocity * 0.8,
        });
    }
    notes
}

/// Returns the notes of the electric piano: the whole chord at each stroke (beat, length, velocity) of a section.
pub fn keys() -> Vec<Note> {
    const INTRO: &[(f64, f64, f64)] = &[(0.0, 3.4, 0.7), (3.5, 0.4, 0.4)];
    const BUILD: &[(f64, f64, f64)] = &[(0.0, 1.4, 0.6), (1.75, 0.2, 0.3), (2.5, 1.3, 0.55)];
    const PEAK: &[(f64, f64, f64)] = &[
        (0.0, 0.6, 0.8),
        (0.75, 0.6, 0.5),
        (1.5, 0.9, 0.75),
        (2.75, 0.3, 0.45),
        (3.5, 0.4, 0.7),
    ];
    const ENDING: &[(f64, f64, f64)] = &[(0.0, 11.0, 0.8)];
    let mut notes = Vec::new();
    for (at, section, chord) in bars() {
        let (strokes, roll) = match section {
            Section::Intro => (INTRO, 0.03),
            Section::Build => (BUILD, 0.01),
            Section::Peak => (PEAK, 0.006),
            Section::Ending => (ENDING, 0.04),
        };
        for &(beat, beats, velocity) in strokes {
            // Fingers do not land together, so the chord is rolled upwards a little.
            notes.extend(chord.upper.iter().enumerate().map(|(finger, &key)| {
                let late = finger as f64 * roll;
                Note {
                    at: at + beat + late,
                    beats: beats - late,
                    key,
                    velocity: velocity * (1.0 - 0.05 * finger as f64),
                }
            }));
        }
    }
    notes
}

/// Returns the notes of the guitar: chord degrees per eighth or sixteenth (4 and above are an octave higher).
#[expect(
    clippy::indexing_slicing,
    reason = "the indices are below the lengths by the modulo"
)]
pub fn guitar() -> Vec<Note> {
    const EIGHTHS: [usize; 8] = [0, 2, 4, 3, 5, 3, 4, 2];
    const SIXTEENTHS: [usize; 16] = [0, 2, 3, 4, 5, 4, 3, 2, 1, 3, 4, 5, 6, 5, 4, 3];
    const ACCENTS: [f64; 4] = [0.85, 0.5, 0.7, 0.55];
    let mut notes = Vec::new();
    for (at, section, chord) in bars().skip(1) {
        let key = |degree: usize| chord.upper[degree % 4] + 12 * (degree / 4) as i32;
        let mut run = |degrees: &[usize], step: f64, level: f64| {
            notes.extend(degrees.iter().enumerate().map(|(i, &degree)| Note {
                at: at + i as f64 * step,
                beats: step * 2.0,
                key: key(degree),
                velocity: level * ACCENTS[i % 4],
            }));
        };
        match section {
            Section::Intro => run(&EIGHTHS, 0.5, 0.7),
            Section::Build => run(&EIGHTHS, 0.5, 0.9),
            Section::Peak => run(&SIXTEENTHS, 0.25, 1.0),
            Section::Ending => run(&[0, 2, 4, 5, 7], 0.5, 0.8),
        }
    }
    notes
}

/// Returns the notes of the bass: (beat, length, semitones above the root, velocity), then the lead-in of the bar.
pub fn bass() -> Vec<Note> {
    const BUILD: &[(f64, f64, i32, f64)] =
        &[(0.0, 1.3, 0, 0.8), (1.75, 0.2, 0, 0.5), (2.5, 0.9, 0, 0.7)];
    #[rustfmt::skip]
    const PEAK: &[(f64, f64, i32, f64)] = &[
        (0.0, 0.65, 0, 0.95), (0.75, 0.2, 0, 0.6), (1.5, 0.4, 12, 0.8), (2.0, 0.4, 7, 0.7), (2.5, 0.6, 0, 0.9), (3.25, 0.2, 12, 0.6),
    ];
    let mut notes = Vec::new();
    for (at, section, chord) in bars() {
        let line = match section {
            Section::Intro => continue,
            Section::Build => BUILD,
            Section::Peak => PEAK,
            Section::Ending => &[(0.0, 11.0, 0, 0.9)],
        };
        notes.extend(line.iter().map(|&(beat, beats, up, velocity)| Note {
            at: at + beat,
            beats,
            key: chord.root + up,
            velocity,
        }));
        if !matches!(section, Section::Ending) {
            notes.push(Note {
                at: at + 3.5,
                beats: 0.45,
                key: chord.lead_in,
                velocity: 0.7,
            });
        }
    }
    notes
}

/// Returns the notes of the lead: (bar, beat, length, key, velocity).
pub fn lead() -> Vec<Note> {
    #[rustfmt::skip]
    const TUNE: &[(usize, f64, f64, i32, f64)] = &[
        (3, 2.5, 0.5, 69, 0.5), (3, 3.0, 0.5, 71, 0.5), (3, 3.5, 0.5, 73, 0.55),
        (4, 0.0, 1.5, 74, 0.6), (4, 1.5, 0.5, 71, 0.5), (4, 2.0, 1.5, 78, 0.65), (4, 3.5, 0.5, 76, 0.55),
        (5, 0.0, 1.0, 76, 0.6), (5, 1.0, 0.5, 74, 0.5), (5, 1.5, 1.25, 71, 0.55), (5, 3.0, 0.5, 69, 0.6), (5, 3.5, 0.5, 71, 0.7),
        (6, 0.0, 0.75, 74, 0.8), (6, 0.75, 0.75, 78, 0.8), (6, 1.5, 1.5, 81, 0.95), (6, 3.0, 0.5, 83, 0.85), (6, 3.5, 0.5, 81, 0.75),
        (7, 0.0, 0.75, 81, 0.85), (7, 0.75, 0.75, 78, 0.75), (7, 1.5, 1.0, 76, 0.8), (7, 2.5, 0.5, 73, 0.65),
        (7, 3.0, 0.5, 76, 0.7), (7, 3.5, 0.5, 78, 0.75),
        (8, 0.0, 0.75, 79, 0.85), (8, 0.75, 0.75, 83, 0.85), (8, 1.5, 1.5, 86, 1.0), (8, 3.0, 0.5, 83, 0.85), (8, 3.5, 0.5, 81, 0.8),
        (9, 0.0, 1.0, 78, 0.85), (9, 1.0, 0.5, 76, 0.7), (9, 1.5, 0.75, 74, 0.7), (9, 2.5, 0.5, 71, 0.6),
        (9, 3.0, 0.5, 73, 0.7), (9, 3.5, 0.5, 76, 0.75),
        (ENDING, 0.0, 5.0, 78, 0.8),
    ];
    TUNE.iter()
        .map(|&(bar, beat, beats, key, velocity)| Note {
            at: bar as f64 * BEATS_PER_BAR + beat,
            beats,
            key,
            velocity,
        })
        .collect()
}

/// Drum or cymbal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    Kick,
    Snare,
    Rim,
    Hat,
    OpenHat,
    Tom,
    Crash,
}

/// A stroke: time in seconds, drum, velocity.
pub type Stroke = (f64, Hit, f64);

/// Returns the strokes of the drum kit. One character is a sixteenth: a digit is its velocity in ninths, a dot is a rest.
pub fn drums() -> Vec<Stroke> {
    use Hit::{Crash, Hat, Kick, OpenHat, Rim, Snare, Tom};
    #[rustfmt::skip]
    const SONG: &[(usize, &[(Hit, &str)])] = &[
        (2, &[(Kick, "8.....5.7......."), (Rim, "....6.......6..3"), (Hat, "4.2.4.2.4.2.4.3.")]),
        (3, &[(Kick, "8.....5.7..4...."), (Rim, "....6..2....6..."), (Hat, "4.2.4.2.4.2.4.35")]),
        (4, &[(Kick, "8.....6.8......."), (Rim, "....7.......7..3"), (Hat, "5243524352435243")]),
        (5, &[(Kick, "8.....6.8......."), (Rim, "....7..."), (Snare, "........3.4.5678"), (Hat, "52435243")]),
        (6, &[(Kick, "9..4..8...8..5.."), (Snare, "....9..2.2..9..3"), (Hat, "7363736373637363"), (Crash, "9")]),
        (7, &[(Kick, "9..4..8...8....5"), (Snare, "....9..2.2..8..."), (Hat, "73637363736373.."), (OpenHat, "..............6.")]),
        (8, &[(Kick, "9..4..8...8..5.."), (Snare, "....9..2.2..9..3"), (Hat, "7363736373637363")]),
        (9, &[(Kick, "9..4..8...8.7..."), (Snare, "....9..35...7.89"), (Hat, "73637363"), (Tom, ".........78.6...")]),
        (10, &[(Kick, "9"), (Crash, "8")]),
    ];
    strokes(SONG)
}

/// Returns the strokes of the shaker.
pub fn shaker() -> Vec<Stroke> {
    use Hit::Hat as Shake;
    const EASY: &str = "3.4.6.4.3.4.6.4.";
    const FULL: &str = "4263845242638453";
    const SONG: &[(usize, &[(Hit, &str)])] = &[
        (1, &[(Shake, "........1.2.3.4.")]),
        (2, &[(Shake, EASY)]),
        (3, &[(Shake, EASY)]),
        (4, &[(Shake, "3253735232537352")]),
        (5, &[(Shake, "3253735245567789")]),
        (6, &[(Shake, FULL)]),
        (7, &[(Shake, FULL)]),
        (8, &[(Shake, FULL)]),
        (9, &[(Shake, "4263845245566778")]),
        (10, &[(Shake, "8")]),
    ];
    strokes(SONG)
}

/// Reads patterns of bars as strokes.
fn strokes(song: &[(usize, &[(Hit, &str)])]) -> Vec<Stroke> {
    let mut strokes = Vec::new();
    for &(bar, lines) in song {
        for &(hit, line) in lines {
            for (sixteenth, mark) in line.chars().enumerate() {
                if let Some(ninths) = mark.to_digit(10) {
                    let at = bar as f64 * BEATS_PER_BAR + sixteenth as f64 / 4.0;
                    strokes.push((seconds(at), hit, f64::from(ninths) / 9.0));
                }
            }
        }
    }
    strokes
}
