//! The `bext` chunk of a source in a delivered file that has no other source.

use soundtrack::{
    At, Block, Bus, Clip, Cue, Deliverable, Delivery, Format, FrameRate, Frames, Layout,
    SampleRate, Session, Sink, Spec, Timecode, Track, Use,
    encode::{self, FileSink, Metadata},
    media,
};
use soundtrack_test_support::{data, renders::stem};
use std::{
    fs,
    path::{Path, PathBuf},
};

const HZ: SampleRate = SampleRate::HZ_48000;
/// Time reference of the recording: 10 o'clock.
const TEN: u64 = 10 * 3600 * 48_000;

/// The fields of a `bext` chunk.
#[derive(Debug, PartialEq)]
struct Bext {
    description: String,
    originator: String,
    reference: String,
    date: String,
    time_reference: u64,
    history: String,
}

/// Returns the `bext` chunk of a file; `None` without one.
fn bext(path: &Path) -> Option<Bext> {
    let bytes = fs::read(path).unwrap();
    let mut at = 12;
    loop {
        let id = bytes.get(at..at + 4)?;
        let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        if id == b"bext" {
            break;
        }
        at += 8 + size.next_multiple_of(2);
    }
    let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
    let body = &bytes[at + 8..at + 8 + size];
    let text = |from: usize, to: usize| {
        let field = &body[from..to];
        let end = field.iter().position(|b| *b == 0).unwrap_or(to - from);
        String::from_utf8(field[..end].to_vec()).unwrap()
    };
    Some(Bext {
        description: text(0, 256),
        originator: text(256, 288),
        reference: text(288, 320),
        date: text(320, 330),
        time_reference: u64::from_le_bytes(body[338..346].try_into().unwrap()),
        history: text(602, body.len()),
    })
}

/// Writes a recording of two seconds.
fn recording(path: &Path) {
    let spec = Spec {
        rate: HZ,
        layout: Layout::Mono,
    };
    let metadata = Metadata {
        description: "sSCENE=12A\r\nsTAKE=3".into(),
        originator: "Recorder 8".into(),
        reference: "CH0123456789".into(),
        date: "2026-05-04".into(),
        time_reference: Some(Frames(TEN)),
        coding_history: "A=ANALOGUE,M=mono,T=microphone\nA=PCM,F=48000,W=24,M=mono,T=Recorder 8"
            .into(),
        ..Metadata::default()
    };
    let options = encode::Options {
        metadata,
        ..encode::Options::default()
    };
    let mut sink =
        FileSink::create_with(path, Format::WAV_24, spec, Frames(96_000), &options).unwrap();
    let mut block = Block::new(Layout::Mono, 96_000);
    block.fill(96_000, 0.25);
    sink.write(&block).unwrap();
    sink.finish().unwrap();
}

/// The history of the recording, whose file adds a line, as the delivered one does.
const SOURCE_HISTORY: &str = "A=ANALOGUE,M=mono,T=microphone\r\nA=PCM,F=48000,W=24,M=mono,T=Recorder 8\r\n\
                              A=PCM,F=48000,W=24,M=mono,T=soundtrack\r\n\
                              A=PCM,F=48000,W=24,M=mono,T=soundtrack\r\n";

/// A session in which one bus has one recording and another has two tracks.
fn session(folder: &Path) -> Session {
    let take = folder.join("take.wav");
    recording(&take);
    let mut film = Session::new(HZ, Layout::Mono);
    let boom = film.add_bus(Bus::new("boom"));
    let music = film.add_bus(Bus::new("music"));
    let clip = Clip::new(take.as_path())
        .at(Frames(30_000))
        .from(Frames(1_000));
    film.add_track(Track::of("take").clip(clip).to(boom));
    film.add_track(Track::new("piano", stem(1, 48_000, Layout::Mono, 48_000)).to(music));
    let path = |name: &str| folder.join(name);
    film.deliverables
        .push(Deliverable::new("stems", path("{bus}.wav")).stems([boom, music]));
    film.deliverables
        .push(Deliverable::new("mix", path("mix.wav")));
    film.deliverables
        .push(Deliverable::new("alone", path("alone.wav")).mute(music));
    film
}

fn deliver(session: &Session) {
    Delivery::new().overwrite(true).run(session).unwrap();
}

#[test]
fn a_file_of_one_recording_keeps_what_it_states() {
    let folder = tempfile::tempdir().unwrap();
    let mut film = session(folder.path());
    deliver(&film);
    let of = |name: &str| bext(&folder.path().join(name));
    let mut expected = Bext {
        description: "sSCENE=12A\r\nsTAKE=3".into(),
        originator: "Recorder 8".into(),
        reference: "CH0123456789".into(),
        date: "2026-05-04".into(),
        // Frame 30,000 of the file is frame 1,000 of the recording.
        time_reference: TEN + 1_000 - 30_000,
        history: SOURCE_HISTORY.into(),
    };
    assert_eq!(of("boom.wav").unwrap(), expected);
    assert_eq!(of("alone.wav").unwrap(), expected);
    assert_eq!((of("music.wav"), of("mix.wav")), (None, None));
    // A file is the recording, back at its place.
    let path = folder.path().join("boom.wav");
    let mut back = Session::new(HZ, Layout::Mono);
    back.start = Some(Timecode::parse("10:00:00:00", FrameRate::FPS_25).unwrap());
    let clip = Clip::new(path.as_path())
        .at(At::Origin)
        .from(Frames(30_000));
    back.add_track(Track::of("boom").clip(clip));
    let samples = back.render(Frames(0)..Frames(1_002)).unwrap();
    let first = samples[0].iter().position(|x| *x != 0.0);
    assert_eq!(first, Some(1_000));

    // What the session states stands; the history goes on.
    film.title = "Reel 3".into();
    film.album.date = "2027".into();
    film.start = Some(Timecode::parse("01:00:00:00", FrameRate::FPS_25).unwrap());
    deliver(&film);
    expected.description = "Reel 3 - boom".into();
    // A year alone is no date of a bext chunk.
    expected.date = String::new();
    expected.time_reference = 3600 * 48_000;
    assert_eq!(of("boom.wav").unwrap(), expected);
    let mix = of("mix.wav").unwrap();
    assert_eq!(
        (
            mix.originator.as_str(),
            mix.reference.as_str(),
            mix.history.as_str()
        ),
        (
            "soundtrack",
            "",
            "A=PCM,F=48000,W=24,M=mono,T=soundtrack\r\n"
        )
    );
    // A second delivery is made of the first: the history grows by a line.
    let mut next = Session::new(HZ, Layout::Mono);
    next.add_track(Track::new("boom", folder.path().join("boom.wav")));
    let file = folder.path().join("next.wav");
    next.deliverables.push(Deliverable::new("mix", &file));
    deliver(&next);
    let next = bext(&file).unwrap();
    assert_eq!(next.history.matches("T=soundtrack\r\n").count(), 3);
    assert_eq!(next.time_reference, 3600 * 48_000);
}

#[test]
fn a_time_is_kept_only_where_it_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut film = session(folder.path());
    let of = |name: &str| bext(&folder.path().join(name)).unwrap();
    // Two clips of one recording, a loop, and a cue from its own start.
    film.deliverables.truncate(1);
    let clip = film.tracks()[0].clips[0].clone();
    film.tracks_mut()[0].clips[0].loops = 2;
    deliver(&film);
    assert_eq!(
        (of("boom.wav").time_reference, of("boom.wav").originator),
        (0, "Recorder 8".into())
    );
    film.tracks_mut()[0].clips = vec![clip.clone(), clip.clone().at(Frames(200_000))];
    film.tracks_mut()[0].clips[1].name = "again".into();
    deliver(&film);
    assert_eq!(
        (of("boom.wav").time_reference, of("boom.wav").originator),
        (0, "Recorder 8".into())
    );
    let take = Track::of("take").clip(clip);
    let cue = film.add_cue(Cue::new("one").track(take).used(Use::at(Frames(0))));
    film.deliverables.clear();
    film.deliverables
        .push(Deliverable::new("cue", folder.path().join("cue.wav")).cue(cue));
    deliver(&film);
    let cue = of("cue.wav");
    assert_eq!(
        (cue.time_reference, cue.originator.as_str()),
        (0, "Recorder 8")
    );
}

/// Files of others, with the originator, the reference, the date and the time reference that they state.
const REAL: [(&str, &str, &str, &str, u64); 1] = [(
    "zoo/hound/nonstandard-01.wav",
    "Pro Tools",
    "eMUV8xD!wolaaaGk",
    "2017-10-06",
    275_188_816,
)];

#[test]
fn the_bext_of_real_files_is_carried_through() {
    let Some(base) = data::base() else { return };
    for (name, originator, reference, date, time_reference) in REAL {
        let source: PathBuf = base.join(name);
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("take.wav");
        fs::copy(&source, &copy).unwrap();
        let info = media::Wav::open(&copy).unwrap().unwrap().1;
        let mut session = Session::new(info.spec.rate, info.spec.layout);
        session.add_track(Track::new("take", copy.as_path()));
        let out = folder.path().join("out.wav");
        session.deliverables.push(Deliverable::new("mix", &out));
        deliver(&session);
        let found = bext(&out).unwrap();
        assert_eq!(
            found,
            Bext {
                description: String::new(),
                originator: originator.into(),
                reference: reference.into(),
                date: date.into(),
                time_reference,
                history: "A=PCM,F=48000,W=24,M=stereo,T=soundtrack\r\n".into(),
            },
            "{name}"
        );
    }
}
