//! What a plan decides before anything runs: depth, latency of several routes, where a render has to start.

use crate::stems::{RATE, constant, first, mono, session, stem, warned};
use soundtrack::{
    Bounce, Bus, Clip, Cue, Curve, Dbtp, Decibels, Fade, Format, Frames, Insert, Layout, Pan, Plan,
    Session, Shape, Track, Use,
};
use std::path::Path;

/// Writes a file of 100 frames in 16 bits.
fn sixteen(folder: &Path, layout: Layout) -> String {
    let path = folder.join(format!("{layout}.wav"));
    let source = stem(layout, vec![vec![0.25; 100]; layout.channels()]);
    Bounce::new()
        .format(Format::WAV_16)
        .run(&session(layout, [Track::new("x", source)]), &path)
        .unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_mix_has_the_depth_of_its_stems_only_where_nothing_multiplies_them() {
    let folder = tempfile::tempdir().unwrap();
    let [mono, stereo, surround] = [Layout::Mono, Layout::Stereo, Layout::Surround51]
        .map(|layout| sixteen(folder.path(), layout));
    let depth =
        |layout: Layout, track: Track| Plan::compile(&session(layout, [track])).unwrap().depth();
    let plain = || Track::new("x", &*stereo);
    assert_eq!(depth(Layout::Stereo, plain()), Some(16));
    assert_eq!(depth(Layout::Stereo, plain().invert(true)), Some(16));
    assert_eq!(depth(Layout::Mono, Track::new("x", &*mono)), Some(16));
    // A fold of whole channels keeps the bits; one by the root of a half does not, nor does a pan law.
    assert_eq!(depth(Layout::Surround51, plain()), Some(16));
    assert_eq!(depth(Layout::Stereo, Track::new("x", &*surround)), None);
    assert_eq!(depth(Layout::Stereo, Track::new("x", &*mono)), None);
    assert_eq!(depth(Layout::Stereo, plain().gain(Decibels(-6.0))), None);
    assert_eq!(depth(Layout::Stereo, plain().pan(Pan(0.1))), None);
    assert_eq!(
        depth(Layout::Stereo, plain().insert(Insert::trim(Decibels(0.0)))),
        None
    );
    let clip = |clip: Clip| depth(Layout::Stereo, Track::of("x").clip(clip));
    let fade = Fade::linear(Frames(1));
    let file = || Clip::new(&*stereo);
    assert_eq!(clip(file().gain(Decibels(-6.0))), None);
    assert_eq!(
        [clip(file().fade_in(fade)), clip(file().fade_out(fade))],
        [None, None]
    );
    let used = |place: Use| {
        let mut film = Session::new(RATE, Layout::Stereo);
        film.add_cue(Cue::new("c").track(plain()).used(place));
        Plan::compile(&film).unwrap().depth()
    };
    let at = || Use::at(Frames(5));
    assert_eq!(used(at()), Some(16));
    assert_eq!(
        [
            used(at().fade_in(fade)),
            used(at().fade_out(fade)),
            used(at().gain(Decibels(-1.0)))
        ],
        [None; 3]
    );
}

/// A track into `c`, and from there into `a` and, by a send, into `b`.
fn fork(samples: Vec<f64>, b: Insert) -> Session {
    let mut mix = session(Layout::Mono, [Track::new("x", mono(samples))]);
    let a = mix.add_bus(Bus::new("a"));
    let b = mix.add_bus(Bus::new("b").insert(b));
    let c = mix.add_bus(Bus::new("c").to(a).send(b, Decibels(0.0)));
    mix.tracks_mut()[0].strip.to = Some(c);
    mix
}

#[test]
fn a_bus_on_two_routes_is_ahead_of_the_longer_one() {
    // A limiter that has nothing to do is 256 frames late and changes no bit.
    let impulse: Vec<f64> = (0..1000)
        .map(|n| if n == 300 { 0.25 } else { 0.0 })
        .collect();
    let mix = fork(impulse.clone(), Insert::limiter(Dbtp(0.0)));
    assert_eq!(
        first(&mix),
        impulse.iter().map(|x| 2.0 * x).collect::<Vec<_>>()
    );
    assert_eq!(Plan::compile(&mix).unwrap().latency(), Frames(256));
}

#[test]
fn a_range_starts_as_early_as_the_longest_memory_of_its_routes_needs() {
    let set = |insert: Insert, key, value| insert.set(key, value).unwrap();
    let delay = |time| set(set(Insert::new("delay").unwrap(), "time", time), "mix", 1.0);
    let samples: Vec<f64> = (1..=1000).map(f64::from).collect();
    // 480 frames on one of the two routes, and 240 before they part.
    let mut mix = fork(samples.clone(), delay(0.01));
    mix.buses_mut()[2].strip.inserts.push(delay(0.005));
    let late = |n: usize, by: usize| {
        n.checked_sub(by)
            .and_then(|n| samples.get(n))
            .copied()
            .unwrap_or(0.0)
    };
    let want: Vec<f64> = (0..1720).map(|n| late(n, 240) + late(n, 720)).collect();
    assert_eq!(first(&mix), want);
    for start in [1u64, 240, 720, 900, 1239, 1719] {
        let part = mix.render(Frames(start)..Frames(1720)).unwrap();
        assert_eq!(part[0], want[start as usize..], "{start}");
    }
}

#[test]
fn a_recursive_processor_warms_up_for_a_grid_cell_and_what_it_remembers() {
    let set = |insert: Insert, key, value| insert.set(key, value).unwrap();
    let delay = |db| {
        set(
            set(Insert::new("delay").unwrap(), "time", 0.01),
            "feedback",
            db,
        )
    };
    let warm_up = |db| {
        let mix = session(
            Layout::Mono,
            [Track::new("x", constant(0.5, 4)).insert(delay(db))],
        );
        Plan::compile(&mix).unwrap().warm_up().0
    };
    // Repeats of 480 frames until they are 320 dB down, and the first of them.
    assert_eq!(warm_up(-20.0), (1 << 20) - 1 + 480 * (1 + 16));
    assert_eq!(warm_up(-6.0), (1 << 20) - 1 + 480 * (1 + 54));
    assert_eq!(warm_up(f64::NEG_INFINITY), 480);
}

#[test]
fn uses_of_a_moving_curve_share_a_track_until_they_overlap() {
    let names = |second: u64| {
        let curve = Curve::new().point(Frames(0), Decibels(0.0), Shape::Linear);
        let curve = curve.point(Frames(10), Decibels(-6.0), Shape::Linear);
        let mut film = Session::new(RATE, Layout::Mono);
        let cue = Cue::new("c").track(Track::new("x", constant(0.5, 10)).gain_curve(curve));
        film.add_cue(
            cue.used(Use::at(Frames(0)).named("a"))
                .used(Use::at(Frames(second)).named("b")),
        );
        crate::stems::report(&film)
            .tracks
            .into_iter()
            .map(|t| t.strip.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(10), ["c.x"]);
    assert_eq!(names(9), ["c.x", "c.x (2)"]);
}

#[test]
fn w105_counts_no_clip_that_begins_later() {
    let film = |late: bool| {
        let mut film = Session::new(RATE, Layout::Mono);
        let long = Clip::new(constant(0.5, 1000));
        let long = if late {
            long.at(Frames(100)).from(Frames(100)).length(Frames(900))
        } else {
            long
        };
        let cue = Cue::new("c")
            .track(Track::of("long").clip(long))
            .track(Track::new("short", constant(0.5, 900)));
        film.add_cue(cue.used(Use::at(Frames(0))));
        warned(&film, "W105").len()
    };
    assert_eq!((film(false), film(true)), (1, 0));
}

#[test]
fn a_plan_says_why_a_strip_is_not_heard() {
    let reason = |change: &dyn Fn(&mut Session)| {
        let track = |name: &str| Track::new(name, mono(vec![0.5; 10]));
        let mut mix = session(Layout::Mono, [track("a"), track("b")]);
        change(&mut mix);
        let text = Plan::compile(&mix).unwrap().summary().to_string();
        let mut lines = text.lines().filter(|line| line.starts_with("  a "));
        lines.next_back().unwrap()[4..].trim().to_owned()
    };
    assert_eq!(
        reason(&|mix| mix.tracks_mut()[0].strip.mute = true),
        "muted"
    );
    assert_eq!(
        reason(&|mix| mix.tracks_mut()[1].strip.solo = true),
        "others are soloed"
    );
    let shut = reason(&|mix| mix.tracks_mut()[0].strip.gain = Decibels::SILENCE);
    assert_eq!(shut, "its fader is at -inf dB");
    let late = reason(&|mix| {
        mix.tracks_mut()[0].clips[0].at = Frames(20).into();
        mix.length = Some(Frames(10));
    });
    assert_eq!(late, "its clips start after the end of the mix");
}
