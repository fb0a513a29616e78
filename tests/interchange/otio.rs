//! OpenTimelineIO: every start is value × rate.

use super::{at_rate, frame, notes, read, refused, survives_its_file};
use serde_json::{Value, json};
use soundtrack::{
    FadeShape, FrameRate, Frames, Session, Timecode,
    interchange::{self, Imported, Options},
};
use soundtrack_test_support::data;

/// Reads a sample timeline, and its JSON.
fn sample(name: &str, options: &Options) -> Option<(Imported, Value)> {
    let path = data::folder("interchange")?.join(name);
    let json = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    Some((interchange::read(&path, options).unwrap(), json))
}

/// A time as picture frames and their whole rate.
fn ticks(time: &Value) -> (i64, i64) {
    let number = |key: &str| time[key].as_f64().unwrap();
    assert_eq!(
        (number("value").fract(), number("rate").fract()),
        (0.0, 0.0)
    );
    (number("value") as i64, number("rate") as i64)
}

/// Returns a time at the rate of the track in picture frames.
fn at(time: &Value, rate: i64) -> i64 {
    let (value, own) = ticks(time);
    assert_eq!(value * rate % own, 0, "{time}");
    value * rate / own
}

/// The clips of a flat track as name, start, first frame of the media and length, in picture frames of one rate.
fn expected(track: &Value, rate: i64) -> Vec<(String, i64, i64, i64)> {
    let children = track["children"].as_array().unwrap();
    // The part of the track that is heard begins at its source_range.
    let first_heard = match &track["source_range"] {
        Value::Null => 0,
        range => at(&range["start_time"], rate),
    };
    let (mut now, mut all) = (-first_heard, Vec::new());
    for (number, child) in children.iter().enumerate() {
        let schema = child["OTIO_SCHEMA"].as_str().unwrap();
        if schema.starts_with("Transition") {
            continue;
        }
        let reference = match child.get("media_references") {
            Some(all) => &all["DEFAULT_MEDIA"],
            None => &child["media_reference"],
        };
        let range = if child["source_range"].is_null() {
            &reference["available_range"]
        } else {
            &child["source_range"]
        };
        let (start, length) = (at(&range["start_time"], rate), at(&range["duration"], rate));
        if schema.starts_with("Clip") && reference["OTIO_SCHEMA"] != "GeneratorReference.1" {
            let first = match &reference["available_range"] {
                Value::Null => 0,
                available => at(&available["start_time"], rate),
            };
            // A transition counts where the media on both sides of it reach far enough.
            let transition = |n: Option<usize>| {
                let item = children.get(n?)?;
                let is_one = item["OTIO_SCHEMA"].as_str()?.starts_with("Transition");
                let (into, out) = is_one
                    .then(|| (at(&item["in_offset"], rate), at(&item["out_offset"], rate)))?;
                let room = |clip: &Value| {
                    let (source, media) = (
                        &clip["source_range"],
                        &clip["media_reference"]["available_range"],
                    );
                    let start = at(&source["start_time"], rate) - at(&media["start_time"], rate);
                    let end = at(&media["duration"], rate) - at(&source["duration"], rate) - start;
                    (start, end)
                };
                let neighbours = [&children[n? - 1], &children[n? + 1]];
                let fits = room(neighbours[0]).1 >= out && room(neighbours[1]).0 >= into;
                fits.then_some((into, out))
            };
            let before = transition(number.checked_sub(1)).map_or(0, |(into, _)| into);
            let after = transition(Some(number + 1)).map_or(0, |(_, out)| out);
            let name = child["name"].as_str().unwrap().to_owned();
            all.push((
                name,
                now - before,
                start - first - before,
                length + before + after,
            ));
        }
        now += length;
    }
    all
}

/// Asserts that the clips of the tracks are those of the JSON.
fn assert_exact(session: &Session, json: &Value, kind: &str, rate: i64) {
    let tracks = json["tracks"]["children"].as_array().unwrap();
    let wanted: Vec<_> = tracks
        .iter()
        .filter(|track| track["kind"] == kind)
        .map(|track| expected(track, rate))
        .filter(|clips| !clips.is_empty())
        .collect();
    assert_eq!(session.tracks().len(), wanted.len());
    let frames = |ticks: i64| {
        // Rounded once, halves up.
        let exact = i128::from(ticks) * i128::from(session.rate.hz()) * 2 + i128::from(rate);
        Frames(u64::try_from(exact / (2 * i128::from(rate))).unwrap())
    };
    let mut count = 0;
    for (track, clips) in session.tracks().iter().zip(&wanted) {
        assert_eq!(track.clips.len(), clips.len(), "{}", track.strip.name);
        for (clip, (name, start, from, length)) in track.clips.iter().zip(clips) {
            assert_eq!(frame(clip.at, session), frames(*start), "{name}");
            assert_eq!(clip.from, frames(*from), "{name}");
            assert_eq!(clip.length, Some(frames(*length)), "{name}");
            count += 1;
        }
    }
    assert!(count >= 3, "{count} clips");
}

#[test]
fn every_start_of_the_samples_is_value_times_rate() {
    for hz in [48_000, 44_100, 96_000] {
        for (name, rate) in [
            ("simple_cut.otio", 24),
            ("multiple_track.otio", 24),
            ("multitrack.otio", 24),
            ("transition.otio", 24),
        ] {
            let Some((imported, json)) = sample(name, &at_rate(hz)) else {
                return;
            };
            assert_exact(&imported.session, &json, "Video", rate);
            survives_its_file(&imported.session);
        }
    }
}

#[test]
fn audio_tracks_of_a_picture_editor_are_taken_and_its_picture_is_left_out_with_a_note() {
    let Some((imported, json)) = sample("premiere_example.otio", &at_rate(48_000)) else {
        return;
    };
    assert_exact(&imported.session, &json, "Audio", 30);
    assert_eq!(imported.session.fps, Some(FrameRate::FPS_30));
    let notes = notes(&imported).join("\n");
    assert!(
        notes.contains("is of kind \"Video\" and no audio track: it is left out (and 3 more)"),
        "{notes}"
    );
    let markers: Vec<_> = imported
        .session
        .markers
        .iter()
        .map(|m| (m.at.0 / 1600, m.name.as_str()))
        .collect();
    assert_eq!(&markers[..2], [(113, "My MArker 1"), (298, "marker")]);
    survives_its_file(&imported.session);
}

#[test]
fn a_dissolve_without_enough_media_is_a_cut_with_a_note() {
    let Some((imported, _)) = sample("transition.otio", &at_rate(48_000)) else {
        return;
    };
    // The clip before it has one frame left, and the dissolve needs three.
    let note = "tracks.children[0].children[2]: is a transition for which the media of the clip before it are too short: \
                it is carried as a cut";
    assert!(
        notes(&imported).iter().any(|n| n == note),
        "{:?}",
        imported.notes
    );
    let clips = &imported.session.tracks()[0].clips;
    assert!(clips.iter().all(|clip| clip.crossfade.length == Frames(0)));
}

#[test]
fn a_dissolve_becomes_a_crossfade_with_its_handles() {
    let dissolve = json!({ "OTIO_SCHEMA": "Transition.1", "transition_type": "SMPTE_Dissolve",
        "in_offset": time(2.0, 24.0), "out_offset": time(3.0, 24.0) });
    let children = json!([
        clip("a.wav", range(2.0, 6.0, 24.0)),
        dissolve,
        clip("b.wav", range(3.0, 4.0, 24.0)),
    ]);
    let imported = read(&timeline(&children), "r.otio", &at_rate(48_000));
    let [a, b] = imported.session.tracks()[0].clips.as_slice() else {
        panic!("{:?}", imported.session.tracks())
    };
    // 24 fps at 48 kHz: 2000 frames each. The cut is at picture frame 6; the dissolve covers 4 to 9.
    assert_eq!(a.length, Some(Frames(2000 * (6 + 3))));
    assert_eq!(frame(b.at, &imported.session), Frames(2000 * 4));
    assert_eq!(
        (b.crossfade.length, b.crossfade.shape),
        (Frames(2000 * 5), FadeShape::EqualPower)
    );
    assert_eq!((b.from, b.length), (Frames(2000), Some(Frames(2000 * 6))));
    survives_its_file(&imported.session);
}

#[test]
fn nested_compositions_become_tracks_and_other_speeds_are_refused_by_name() {
    let Some((imported, _)) = sample("nested_example.otio", &at_rate(48_000)) else {
        return;
    };
    let session = &imported.session;
    let all: Vec<_> = session
        .tracks()
        .iter()
        .flat_map(|track| {
            track.clips.iter().map(|clip| {
                (
                    track.strip.name.as_str(),
                    frame(clip.at, session).0 / 2000,
                    clip.from.0 / 2000,
                    clip.length.unwrap().0 / 2000,
                )
            })
        })
        .collect();
    assert_eq!(
        all,
        [
            ("Top Level Track", 0, 135, 238),
            ("Top Level Track", 238 + 31, 101, 33),
            ("Top Level Track", 238 + 31 + 33 + 29, 179, 63),
            ("Top Level Track", 238 + 31 + 33 + 29 + 63 + 4, 135, 238),
            // 37 frames of the clip, of which its stack plays 31.
            ("Top Level Track nested 1", 238, 373, 31),
        ]
    );
    let notes = notes(&imported).join("\n");
    assert!(notes.contains("tracks.children[0].children[3]: \"Nested Stack 2 (with effects)\" plays at 0.8545454551724138 times the speed"), "{notes}");
    assert!(
        notes.contains("\"Nested Track\" is a freeze frame"),
        "{notes}"
    );
    survives_its_file(session);
}

/// A timeline with one audio track of these children.
fn timeline(children: &Value) -> String {
    let track =
        json!({ "OTIO_SCHEMA": "Track.1", "name": "A1", "kind": "Audio", "children": children });
    let stack = json!({ "OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track] });
    json!({ "OTIO_SCHEMA": "Timeline.1", "name": "Reel", "tracks": stack }).to_string()
}

fn time(value: f64, rate: f64) -> Value {
    json!({ "OTIO_SCHEMA": "RationalTime.1", "value": value, "rate": rate })
}

fn range(start: f64, length: f64, rate: f64) -> Value {
    json!({ "OTIO_SCHEMA": "TimeRange.1", "start_time": time(start, rate), "duration": time(length, rate) })
}

fn clip(name: &str, source: Value) -> Value {
    json!({ "OTIO_SCHEMA": "Clip.1", "name": name, "source_range": source,
            "media_reference": { "OTIO_SCHEMA": "ExternalReference.1", "target_url": name } })
}

fn gap(source: Value) -> Value {
    json!({ "OTIO_SCHEMA": "Gap.1", "source_range": source })
}

#[test]
fn sums_at_ntsc_rates_are_exact() {
    // 1001 gaps of one frame of 29.97 and one of audio: no sum of rounded numbers has this end.
    let mut children = Vec::new();
    for _ in 0..1001 {
        children.push(gap(range(0.0, 1.0, 29.97)));
        children.push(gap(range(0.0, 1.0, 44_100.0)));
    }
    children.push(clip("hit.wav", range(0.0, 30.0, 29.97)));
    let imported = read(&timeline(&json!(children)), "r.otio", &at_rate(48_000));
    let clip = &imported.session.tracks()[0].clips[0];
    // 1001 (1001/30000 + 1/44100) s at 48 kHz, rounded once.
    let exact: f64 = 1001.0 * (1001.0 / 30_000.0 + 1.0 / 44_100.0) * 48_000.0;
    assert_eq!(
        frame(clip.at, &imported.session),
        Frames(exact.round() as u64)
    );
    assert_eq!(clip.length, Some(Frames(48_048)));
    survives_its_file(&imported.session);
}

#[test]
fn positions_on_picture_frames_are_timecode() {
    let children = json!([
        gap(range(0.0, 100.0, 24.0)),
        clip("a.wav", range(0.0, 24.0, 24.0))
    ]);
    let mut root: Value = serde_json::from_str(&timeline(&children)).unwrap();
    root["global_start_time"] = time(86_400.0, 24.0);
    let imported = read(&root.to_string(), "r.otio", &at_rate(48_000));
    let text = imported.session.to_text("r.toml").unwrap();
    assert!(text.contains("start = \"01:00:00:00\""), "{text}");
    assert!(text.contains("at = \"01:00:04:04\""), "{text}");
    let start = Timecode::parse("01:00:00:00", FrameRate::FPS_24).unwrap();
    assert_eq!(imported.session.start, Some(start));
}

#[test]
fn fades_beside_gaps() {
    let fade = |into: f64, out: f64| {
        json!({ "OTIO_SCHEMA": "Transition.1", "transition_type": "SMPTE_Dissolve",
        "in_offset": time(into, 24.0), "out_offset": time(out, 24.0) })
    };
    let children = json!([
        gap(range(0.0, 24.0, 24.0)),
        fade(2.0, 4.0),
        clip("a.wav", range(10.0, 48.0, 24.0)),
        fade(12.0, 0.0),
    ]);
    let imported = read(&timeline(&children), "r.otio", &at_rate(48_000));
    let clip = &imported.session.tracks()[0].clips[0];
    assert_eq!(
        (frame(clip.at, &imported.session), clip.from),
        (Frames(44_000), Frames(16_000))
    );
    assert_eq!(
        (clip.fade_in.length, clip.fade_out.length),
        (Frames(12_000), Frames(24_000))
    );
    assert_eq!(clip.length, Some(Frames(100_000)));
}

#[test]
fn what_is_wrong_names_its_element() {
    let of = |children: Value| refused(timeline(&children), "r.otio", &Options::default());
    let error = of(json!([clip("a.wav", range(0.0, -1.0, 24.0))]));
    assert!(
        error.contains(
            "r.otio: tracks.children[0].children[0].source_range: has a negative duration"
        ),
        "{error}"
    );
    let error = of(json!([clip("a.wav", range(0.0, 1.0, 0.0))]));
    assert!(
        error.contains("source_range.start_time: states no rate above 0"),
        "{error}"
    );
    let error = of(json!([{ "OTIO_SCHEMA": "Gap.1" }]));
    assert!(error.contains("is a gap without a source_range"), "{error}");
    let error = refused("{\n \"OTIO_SCHEMA\": }", "r.otio", &Options::default());
    assert!(error.contains("r.otio: line 2: column"), "{error}");
    let error = refused("{}", "r.otio", &Options::default());
    assert!(error.contains("is no timeline, stack or track"), "{error}");
}
