//! Stems placed where their Metadata-WAV time reference puts them.

use soundtrack::{
    At, Block, Clip, Cue, Format, FrameRate, Frames, Layout, Load, Plan, SampleRate, Session, Sink,
    Spec, Timecode, Track, Use,
    encode::{self, FileSink, Metadata},
};
use std::path::Path;

/// A second of a constant, recorded at a frame after midnight.
fn stem(path: &Path, rate: u32, midnight: u64) {
    let spec = Spec {
        rate: SampleRate::new(rate).unwrap(),
        layout: Layout::Mono,
    };
    let metadata = Metadata {
        time_reference: Some(Frames(midnight)),
        ..Metadata::default()
    };
    let options = encode::Options {
        metadata,
        ..encode::Options::default()
    };
    let mut wav =
        FileSink::create_with(path, Format::WAV_24, spec, Frames(rate.into()), &options).unwrap();
    let mut block = Block::new(Layout::Mono, rate as usize);
    block.fill(rate as usize, 0.5);
    wav.write(&block).unwrap();
    wav.finish().unwrap();
}

fn film() -> Session {
    let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
    film.start = Some(Timecode::parse("01:00:00:00", FrameRate::FPS_23_976).unwrap());
    film
}

const HOUR: u64 = 172_972_800;

fn first_sound(film: &Session) -> usize {
    let length = Plan::compile(film).unwrap().length();
    film.render(Frames(0)..length).unwrap()[0]
        .iter()
        .position(|x| *x != 0.0)
        .unwrap()
}

#[test]
fn a_track_at_its_origin_starts_where_it_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dx.wav");
    stem(&path, 48_000, HOUR + 12_345);
    let mut film = film();
    film.add_track(Track::of("dx").clip(Clip::new(path.as_path()).at(At::Origin)));
    assert_eq!(first_sound(&film), 12_345);
    // What is cut off its start moves with it.
    film.tracks_mut()[0].clips[0].from = Frames(1000);
    assert_eq!(first_sound(&film), 13_345);
    // The same from a file.
    let text = "rate = 48000\nlayout = \"mono\"\nfps = \"23.976\"\nstart = \"01:00:00:00\"\n[track.dx]\nfile = \"dx.wav\"\nat = \"origin\"";
    let same = Load::default()
        .text(text, folder.path().join("s.toml"))
        .unwrap();
    assert_eq!(first_sound(&same), 12_345);
}

#[test]
fn a_cue_at_its_origin_lies_where_its_stems_agree() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.wav"), folder.path().join("b.wav"));
    stem(&a, 48_000, HOUR + 96_000);
    stem(&b, 48_000, HOUR + 100_000);
    let mut film = film();
    // The second lies 4000 frames into the cue.
    let second = Track::of("b").clip(Clip::new(b.as_path()).at(Frames(4000)));
    film.add_cue(
        Cue::new("c")
            .track(Track::new("a", a.as_path()))
            .track(second)
            .used(Use::at(At::Origin)),
    );
    assert_eq!(
        Plan::compile(&film).unwrap().cues()[0].uses[0].range.start,
        Frames(96_000)
    );
    film.cues_mut()[0].uses[0].from = Frames(10_000);
    assert_eq!(
        Plan::compile(&film).unwrap().cues()[0].uses[0].range.start,
        Frames(106_000)
    );
    film.cues_mut()[0].tracks[1].clips[0].at = Frames(4001).into();
    let error = Plan::compile(&film)
        .unwrap_err()
        .to_string()
        .replace(folder.path().to_str().unwrap(), "$");
    assert_eq!(
        error,
        "cue \"c\": the time references of $/a.wav and $/b.wav differ by 1 frame: give `at` as a time"
    );
}

#[test]
fn a_reference_at_another_rate_goes_to_the_nearest_frame_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    // An hour at 44.1 kHz and one frame: 1.088 frames of 48 kHz.
    stem(&path, 44_100, 158_918_760 + 1);
    let mut film = film();
    film.add_track(Track::of("x").clip(Clip::new(path.as_path()).at(At::Origin)));
    let plan = Plan::compile(&film).unwrap();
    assert!(plan.to_string().contains("@1 "), "{plan}");
    let report = film.bounce(folder.path().join("mix.wav")).unwrap();
    let told = report
        .warnings
        .iter()
        .find(|w| w.kind.code() == "W114")
        .unwrap();
    assert!(told.text().ends_with(
        "its time reference of 158918761 frames lies between two frames at 48000 Hz: placed at the nearest"
    ));
}

#[test]
fn what_has_no_place_by_its_reference_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("early.wav");
    stem(&path, 48_000, HOUR - 48_000);
    let mut film = film();
    film.add_track(Track::of("early").clip(Clip::new(path.as_path()).at(At::Origin)));
    let error = Plan::compile(&film).unwrap_err().to_string();
    assert!(
        error.ends_with("early.wav: its time reference lies 00:00:01.000 before the start of the session, 01:00:00:00"),
        "{error}"
    );
    for (past, placed) in [(0, true), (1, false)] {
        let path = folder.path().join(format!("late {past}.wav"));
        stem(&path, 48_000, HOUR + (1 << 53) + past);
        let mut film = self::film();
        film.add_track(Track::of("late").clip(Clip::new(path.as_path()).at(At::Origin)));
        let told = Plan::compile(&film).err().map(|e| e.to_string());
        let expected = "late 1.wav: its time reference lies beyond 2^53 frames: state at as a time";
        assert_eq!(told.is_none(), placed, "{told:?}");
        assert!(told.is_none_or(|told| told.ends_with(expected)));
    }
}
