//! Deliveries: what files share, what is refused at its limit, which warnings a file has, and what a page shows.

use crate::{
    album::{near, tone},
    stems::{RATE, constant, mono, session},
};
use soundtrack::{
    Bus, Cue, Dbtp, Decibels, Deliverable, Delivery, Error, Fade, FadeShape, Format, Frames,
    Layout, LoudnessTarget, Lufs, Opener, Progress, Session, Track, deliver::Delivered,
    encode::Dither,
};
use std::{
    fs,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tempfile::TempDir;

/// A session whose deliverables write to a folder.
struct Desk {
    film: Session,
    folder: TempDir,
}

impl Desk {
    fn new(film: Session) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { film, folder }
    }

    fn promise(&mut self, file: &str, change: impl FnOnce(Deliverable) -> Deliverable) {
        let name = format!("d{}", self.film.deliverables.len());
        let promise = Deliverable::new(name, self.folder.path().join(file));
        self.film.deliverables.push(change(promise));
    }

    fn deliver(&self) -> Result<Delivered, Error> {
        Delivery::new().threads(1).overwrite(true).run(&self.film)
    }

    fn refusal(&self) -> String {
        self.deliver().unwrap_err().to_string()
    }
}

/// A tenth of a second of one value.
fn short() -> Session {
    session(Layout::Mono, [Track::new("x", constant(0.25, 4800))])
}

#[test]
fn a_fit_measures_a_mix_as_stated_and_through_a_limiter_raised_as_well() {
    for (limit, renders, opens) in [(None, 2, 3), (Some(Dbtp(-1.0)), 3, 6)] {
        let count = Arc::new(AtomicUsize::new(0));
        let (counted, stem) = (Arc::clone(&count), mono(tone(0.1, 48_000)));
        let stem = Opener::new("x", move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(stem.clone()))
        });
        let mut desk = Desk::new(session(Layout::Mono, [Track::new("x", stem)]));
        desk.film.master.limit = limit;
        let target = LoudnessTarget::new(Lufs(-20.0));
        desk.promise("a.wav", |d| d.loudness(target).fit(true));
        let done = desk.deliver().unwrap();
        let own = &done.deliverables[0];
        // A tone of −20 dBFS in mono is 3.01 LU lower.
        near(own.gain_db, 3.01);
        near(own.loudness.unwrap().integrated_lufs.unwrap(), -20.0);
        assert_eq!(
            (done.renders, count.load(Ordering::SeqCst)),
            (renders, opens)
        );
    }
}

#[test]
fn progress_counts_the_renders_that_measure_too() {
    // Measured as stated, and raised, then written.
    let mut desk = Desk::new(session(
        Layout::Mono,
        [Track::new("x", mono(tone(0.1, 48_000)))],
    ));
    desk.film.master.limit = Some(Dbtp(-1.0));
    desk.promise("a.wav", |d| {
        d.loudness(LoudnessTarget::new(Lufs(-20.0))).fit(true)
    });
    let mut last = (Frames(0), Frames(0));
    let watch = |progress: Progress| {
        last = (progress.done, progress.total);
        ControlFlow::Continue(())
    };
    Delivery::new()
        .threads(1)
        .progress(watch)
        .run(&desk.film)
        .unwrap();
    assert_eq!(last, (Frames(3 * 48_000), Frames(3 * 48_000)));
}

#[test]
fn a_delivery_says_how_much_its_limiter_takes_at_most() {
    // A tone of 0 dBFS and a ceiling of −6: 6 dB, and the hundredth that the limiter stays below.
    let mut desk = Desk::new(session(
        Layout::Mono,
        [Track::new("x", mono(tone(1.0, 48_000)))],
    ));
    desk.promise("loud.wav", |d| d.limit(Dbtp(-6.0)));
    desk.promise("soft.wav", |d| d.limit(Dbtp(-6.0)).gain(Decibels(-12.0)));
    let text = desk.deliver().unwrap().to_string();
    assert!(
        text.contains("\n  d0: the limiter takes 6.0 dB at most\n"),
        "{text}"
    );
    assert!(!text.contains("d1: the limiter"), "{text}");
}

#[test]
fn a_check_refuses_an_extension_of_another_format() {
    let mut desk = Desk::new(short());
    desk.promise("a.flac", |d| d.format(Format::WAV_24));
    let text = Delivery::new().check(&desk.film).unwrap_err().to_string();
    let what = "a WAV file is written, so its extension cannot be .flac: name it a.wav";
    assert!(text.contains(what), "{text}");
}

#[test]
fn a_part_has_the_gains_that_the_json_report_of_the_whole_delivery_states() {
    let mut desk = Desk::new(session(
        Layout::Mono,
        [Track::new("x", mono(tone(0.1, 48_000)))],
    ));
    desk.promise("page.html", |d| d.report(true));
    desk.promise("data.json", |d| d.report(true));
    for level in [-26.0, -20.0] {
        let target = LoudnessTarget::new(Lufs(level));
        desk.promise(&format!("{level}.wav"), |d| d.loudness(target).fit(true));
    }
    let gains = |done: &Delivered| [2, 3].map(|n| done.deliverables[n].gain_db);
    let whole = gains(&desk.deliver().unwrap());
    near(whole[0], -2.99);
    near(whole[1], 3.01);
    let part = Delivery::new()
        .range(Frames(0)..Frames(4800))
        .overwrite(true)
        .run(&desk.film)
        .unwrap();
    assert_eq!((gains(&part), part.renders), (whole, 2));
}

#[test]
fn a_fade_without_a_length_shares_the_render_of_no_fade() {
    let mut desk = Desk::new(short());
    desk.promise("a.wav", |d| d);
    desk.promise("b.wav", |d| {
        d.fade_in(Fade {
            length: Frames(0),
            shape: FadeShape::EqualPower,
        })
    });
    assert_eq!(desk.deliver().unwrap().renders, 1);
}

#[test]
fn a_range_starts_on_the_last_frame_at_the_latest() {
    let with = |start: u64| {
        let mut desk = Desk::new(short());
        desk.promise("a.wav", |d| d.range(Frames(start)..));
        desk
    };
    let done = with(4799).deliver().unwrap();
    assert_eq!(done.deliverables[0].files[0].report.frames, 1);
    let text = with(4800).refusal();
    let what = "its range starts at 00:00:00.100, but the timeline ends at 00:00:00.100";
    assert!(text.contains(what), "{text}");
}

#[test]
fn a_mix_of_cues_without_a_place_is_empty_but_their_album_is_not() {
    let mut film = session(Layout::Mono, []);
    film.add_cue(Cue::new("c").track(Track::new("x", constant(0.25, 480))));
    let mut desk = Desk::new(film);
    desk.promise("{cue}.wav", |d| d.album(true));
    assert_eq!(desk.deliver().unwrap().deliverables[0].files.len(), 1);
    desk.promise("mix.wav", |d| d);
    let text = desk.refusal();
    let what = "the mix is empty: cue \"c\" has no placement";
    assert!(text.contains(what), "{text}");
}

#[test]
fn a_limiter_up_to_the_ceiling_of_the_loudness_is_accepted() {
    let with = |limit: f64| {
        let mut desk = Desk::new(session(
            Layout::Mono,
            [Track::new("x", mono(tone(0.1, 24_000)))],
        ));
        desk.film.master.limit = Some(Dbtp(limit));
        let target = LoudnessTarget::new(Lufs(-23.0)).true_peak(Dbtp(-1.0));
        desk.promise("full.wav", |d| d.loudness(target).fit(true));
        desk.promise("other.wav", |d| d.gain_of("d0"));
        desk
    };
    assert!(with(-1.0).deliver().unwrap().passed());
    let fault = "the limiter at -0.9 dBTP is above the -1.0 dBTP that its loudness allows";
    // Also where only the gain of the fitted deliverable is needed.
    for name in ["d0", "d1"] {
        let e = Delivery::new().only([name]).run(&with(-0.9).film);
        let problems: Vec<_> = e
            .unwrap_err()
            .problems()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            problems.len() == 1 && problems[0].contains("\"d0\"") && problems[0].contains(fault),
            "{problems:?}"
        );
    }
}

#[test]
fn a_cue_sheet_is_neither_an_album_nor_stems() {
    let mut film = short();
    let bus = film.add_bus(Bus::new("b"));
    let parts: [fn(Deliverable, soundtrack::BusId) -> Deliverable; 2] =
        [|d, _| d.album(true), |d, bus| d.stems([bus])];
    for part in parts {
        let mut desk = Desk::new(film.clone());
        desk.promise("{cue}{bus}.csv", |d| part(d.cue_sheet(true), bus));
        let text = desk.refusal();
        assert!(
            text.contains("and audio: make two deliverables of it"),
            "{text}"
        );
    }
}

#[test]
fn files_of_one_name_are_two_in_two_folders_and_refused_in_one() {
    let mut desk = Desk::new(short());
    desk.promise("a/x.wav", |d| d);
    desk.promise("b/x.wav", |d| d);
    assert_eq!(desk.deliver().unwrap().deliverables.len(), 2);
    desk.promise("b/../a/x.wav", |d| d);
    let text = desk.refusal();
    assert!(
        text.contains("deliverable \"d2\"")
            && text.contains("is written by deliverable \"d0\" too"),
        "{text}"
    );
}

#[test]
fn a_cue_without_a_place_is_warned_about_if_no_album_and_no_deliverable_has_it() {
    let mut film = short();
    let [a, b, c] = ["a", "b", "c"]
        .map(|name| film.add_cue(Cue::new(name).track(Track::new("x", constant(0.5, 480)))));
    let warned = |desk: &Desk| {
        let done = desk.deliver().unwrap();
        let warnings = done
            .warnings()
            .into_iter()
            .filter(|w| w.kind.code() == "W123");
        warnings.map(ToString::to_string).collect::<Vec<_>>()
    };
    let mut desk = Desk::new(film);
    desk.promise("mix.wav", |d| d);
    assert_eq!(warned(&desk).len(), 3);
    desk.promise("c.wav", |d| d.cue(c));
    assert_eq!(warned(&desk).len(), 2);
    desk.promise("{nn}.wav", |d| d.album(true).mute(b).mute(c));
    let left = warned(&desk);
    assert!(left.len() == 1 && left[0].contains("\"b\""), "{left:?}");
    desk.film.deliverables[2] = desk.film.deliverables[2].clone().mute(a);
    assert_eq!(warned(&desk).len(), 2);
}

#[test]
fn only_a_file_that_leaves_nothing_out_warns_about_tracks_that_are_not_heard() {
    let mut film = short();
    let muted = film.add_bus(Bus::new("muted").mute(true));
    film.add_track(Track::new("y", constant(0.25, 480)).to(muted));
    let z = film.add_track(Track::new("z", constant(0.25, 480)));
    let mut desk = Desk::new(film);
    desk.promise("all.wav", |d| d);
    desk.promise("muted.wav", |d| d.mute(z));
    desk.promise("solo.wav", |d| d.solo(z));
    let done = desk.deliver().unwrap();
    let unheard = |n: usize| {
        let warnings = &done.deliverables[n].files[0].report.warnings;
        warnings.iter().filter(|w| w.kind.code() == "W111").count()
    };
    assert_eq!([0, 1, 2].map(unheard), [1, 0, 0]);
}

#[test]
fn a_null_test_of_files_states_the_place_of_the_largest_difference() {
    let step = 1.0 / 32_768.0;
    let mut film = session(Layout::Mono, []);
    let buses = [0.25, -0.125].map(|part| {
        let mut samples = vec![0.25; 40_000];
        samples[30_000] += part * step;
        let bus = film.add_bus(Bus::new(format!("b{part}")));
        film.add_track(
            Track::new(format!("t{part}"), mono(samples))
                .gain(Decibels(0.0))
                .to(bus),
        );
        bus
    });
    let mut desk = Desk::new(film);
    desk.promise("full.wav", |d| d.format(Format::WAV_24));
    desk.promise("{bus}.wav", |d| d.format(Format::WAV_16).stems(buses));
    let done = desk.deliver().unwrap();
    let null = done.deliverables[1].null_test.clone().unwrap();
    let steps = |level: Option<f64>| 10f64.powf(level.unwrap() / 20.0) * 32_768.0;
    // Both stems are rounded, the mix of 24 bits is exact.
    near(steps(null.residue_dbfs), 0.125);
    near(steps(null.within_dbfs), 0.5 + 0.5 + 0.5 / 256.0);
    assert_eq!(
        (
            null.residue_at_s,
            null.read_back,
            null.before_master,
            null.passed
        ),
        (Some(0.625), true, false, true)
    );
}

#[test]
fn a_dithered_file_of_more_bits_than_its_stems_is_dithered_where_something_multiplies_them() {
    let mut desk = Desk::new(short());
    desk.promise("stem.wav", |d| d.format(Format::WAV_16));
    desk.deliver().unwrap();
    let stem = desk.folder.path().join("stem.wav");
    let film = session(Layout::Mono, [Track::new("x", stem.to_str().unwrap())]);
    let differs = |format: Format, change: fn(Deliverable) -> Deliverable| {
        let mut desk = Desk::new(film.clone());
        desk.promise("a.wav", |d| {
            change(d.format(format).dither(Dither::default()))
        });
        desk.promise("b.wav", |d| change(d.format(format)));
        desk.deliver().unwrap();
        let read = |name: &str| fs::read(desk.folder.path().join(name)).unwrap();
        read("a.wav") != read("b.wav")
    };
    let fade = |d: Deliverable| d.fade_out(Fade::linear(Frames(2400)));
    let gain = |d: Deliverable| d.gain(Decibels(-6.0));
    assert!(!differs(Format::WAV_24, |d| d));
    assert!(differs(Format::WAV_24, fade) && differs(Format::WAV_24, gain));
    assert!(!differs(Format::WAV_32F, gain));
}

#[test]
fn peaks_of_the_files_of_a_range_are_placed_on_the_timeline() {
    let mut samples = vec![0.0; 4800];
    samples[3000] = 0.5;
    let mut film = session(Layout::Mono, []);
    let buses = ["a", "b"].map(|name| film.add_bus(Bus::new(name)));
    film.add_track(Track::new("x", mono(samples)).to(buses[1]));
    film.add_track(Track::new("y", constant(0.0, 4800)).to(buses[0]));
    let mut desk = Desk::new(film);
    desk.promise("mix.wav", |d| d.range(Frames(2400)..Frames(4800)));
    desk.promise("{bus}.wav", |d| {
        d.range(Frames(2400)..Frames(4800)).stems(buses)
    });
    let done = desk.deliver().unwrap();
    let [mix, stems] = &done.deliverables[..] else {
        panic!("{done}")
    };
    for file in [&mix.files[0], &stems.files[1]] {
        let found = &file.report.mix;
        assert_eq!(
            (found.peak_at_frame, found.peak_at_s, found.peak_channel),
            (Some(3000), Some(0.0625), Some(0))
        );
    }
    assert_eq!(stems.files[0].report.mix.peak_at_frame, None);
    let names = stems.files.iter().map(|file| &*file.report.buses[0].name);
    assert_eq!(names.collect::<Vec<_>>(), ["a", "b"]);
}

/// The page of an album whose pieces clip.
#[test]
fn a_page_names_its_pieces_and_counts_warnings_of_one_kind() {
    let mut film = Session::new(RATE, Layout::Mono);
    for name in ["storm", "calm"] {
        let samples = mono(tone(1.5, 4800));
        film.add_cue(Cue::new(name).track(Track::new("x", samples)));
    }
    let mut desk = Desk::new(film);
    desk.promise("{nn}.wav", |d| d.album(true));
    desk.promise("page.html", |d| d.report(true));
    desk.deliver().unwrap();
    let page = fs::read_to_string(desk.folder.path().join("page.html")).unwrap();
    for words in [
        "<h1>Delivery</h1>",
        "<a href=\"#report-1\">below</a>",
        "<a href=\"#report-2\">below</a>",
        "<h2>Warnings</h2>\n<ul>\n<li>W101 ",
        " (and 1 more)</li>\n</ul>",
        "<td class=\"n\">00:00:00.100</td>",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("<h2>Checks</h2>") && !page.contains("(and 2 more)"));
}
