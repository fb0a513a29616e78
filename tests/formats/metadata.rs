//! Metadata of written files: every chunk and tag, read back byte by byte and by other programs.

use super::tools::{have, run};
use soundtrack::{
    Album, Bounce, Bus, Cue, Dbtp, Decibels, Deliverable, Delivery, Format, FrameRate, Frames,
    Layout, Load, LoudnessTarget, Marker, Plan, SampleRate, Session, Timecode, Track, Use,
    encode::Metadata, media,
};
use soundtrack_test_support::renders::stem;
use std::{collections::HashMap, fs, path::Path};

/// Returns the chunks of a WAVE file in order.
fn chunks(path: &Path) -> Vec<(String, Vec<u8>)> {
    let bytes = fs::read(path).unwrap();
    let (mut at, mut found) = (12, Vec::new());
    while at + 8 <= bytes.len() {
        let id = String::from_utf8(bytes[at..at + 4].to_vec()).unwrap();
        let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        let end = (at + 8 + size).min(bytes.len());
        found.push((id, bytes[at + 8..end].to_vec()));
        at += 8 + size.next_multiple_of(2);
    }
    found
}

fn chunk(path: &Path, id: &str) -> Vec<u8> {
    let found = chunks(path).into_iter().find(|(found, _)| found == id);
    found
        .unwrap_or_else(|| panic!("no {id} in {}", path.display()))
        .1
}

fn audio(path: &Path) -> Vec<u8> {
    chunk(path, "data")
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Returns a reel with a picture, an album, markers and a cue with release data.
fn reel(rate: u32, fps: FrameRate) -> Session {
    let mut film = Session::new(SampleRate::new(rate).unwrap(), Layout::Stereo);
    film.title = "Reel 2".into();
    film.fps = Some(fps);
    film.start = Some(Timecode::new(1, 0, 0, 0, fps).unwrap());
    film.album = Album::default();
    film.album.title = "The Lighthouse Keeper".into();
    film.album.artist = "Various Artists".into();
    film.album.label = "Some Records".into();
    film.album.date = "2026-11-27".into();
    film.album.upc = "00602547924032".into();
    let music = film.add_bus(Bus::new("music"));
    let speech = film.add_bus(Bus::new("dialogue"));
    let seconds = |s: u32| (s * rate) as usize;
    film.add_track(Track::new("voice", stem(1, rate, Layout::Mono, seconds(4))).to(speech));
    film.markers.push(Marker {
        at: Frames(u64::from(rate)),
        name: "Anna sees the boat".into(),
    });
    film.add_cue(
        Cue::new("storm")
            .title("The Storm")
            .artist("The Harbour Orchestra")
            .composer("A. Writer (PRS) 100%")
            .publisher("Some Music Ltd (PRS) 100%")
            .isrc("gb-abc-26-00001")
            .track(Track::new("strings", stem(2, rate, Layout::Stereo, seconds(3))).to(music))
            .marker(Frames(u64::from(rate) / 2), "lightning")
            .used(Use::at(Frames(u64::from(rate) / 4))),
    );
    film
}

#[test]
fn a_wave_file_states_what_the_session_states() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reel.wav");
    let film = reel(48_000, FrameRate::FPS_23_976);
    film.bounce(&path).unwrap();
    let ids: Vec<String> = chunks(&path).into_iter().map(|(id, _)| id).collect();
    assert_eq!(
        ids,
        [
            "fmt ", "bext", "iXML", "cue ", "LIST", "LIST", "id3 ", "data"
        ]
    );

    let bext = chunk(&path, "bext");
    let text = |at: usize, length: usize| {
        let field = &bext[at..at + length];
        let end = field.iter().position(|b| *b == 0).unwrap_or(length);
        String::from_utf8(field[..end].to_vec()).unwrap()
    };
    assert_eq!(
        (text(0, 256), text(256, 32)),
        ("Reel 2".into(), "soundtrack".into())
    );
    assert_eq!(
        (text(320, 10), text(330, 8)),
        ("2026-11-27".into(), String::new())
    );
    assert_eq!(
        u64::from_le_bytes(bext[338..346].try_into().unwrap()),
        172_972_800
    );
    assert_eq!(bext[346..348], [2, 0]);
    assert_eq!(bext[348..412], [0; 64]);
    // A single mix states no loudness, so that joined parts are equal to it.
    assert_eq!(bext[412..422], [0xFF, 0x7F].repeat(5));
    assert_eq!(
        bext[602..],
        *b"A=PCM,F=48000,W=24,M=stereo,T=soundtrack\r\n"
    );

    let xml = String::from_utf8(chunk(&path, "iXML")).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    assert_eq!(document.root_element().tag_name().name(), "BWFXML");
    let element = |name: &str| {
        let found = document.descendants().find(|n| n.tag_name().name() == name);
        found.and_then(|n| n.text()).unwrap_or_default().to_owned()
    };
    for (name, value) in [
        ("PROJECT", "Reel 2"),
        ("TIMECODE_RATE", "24000/1001"),
        ("TIMECODE_FLAG", "NDF"),
        ("FILE_SAMPLE_RATE", "48000"),
        ("AUDIO_BIT_DEPTH", "24"),
        ("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", "0"),
        ("TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", "172972800"),
        ("TRACK_COUNT", "2"),
        ("NAME", "L"),
    ] {
        assert_eq!(element(name), value, "{name} in {xml}");
    }

    // Markers at 0.75 s, from the cue, and at 1 s.
    let cue = chunk(&path, "cue ");
    assert_eq!((u32_at(&cue, 0), cue.len()), (2, 4 + 2 * 24));
    assert_eq!(
        (u32_at(&cue, 4), u32_at(&cue, 8), u32_at(&cue, 24)),
        (1, 36_000, 36_000)
    );
    assert_eq!((u32_at(&cue, 28), u32_at(&cue, 48)), (2, 48_000));
    let labels = chunk(&path, "LIST");
    assert_eq!(labels[..8], *b"adtllabl");
    assert_eq!(labels[16..26], *b"lightning\0");
    let list = chunks(&path)
        .into_iter()
        .filter(|(id, _)| id == "LIST")
        .nth(1)
        .unwrap()
        .1;
    assert_eq!(
        list,
        [
            &b"INFO"[..],
            b"INAM\x07\0\0\0Reel 2\0\0",
            b"IART\x10\0\0\0Various Artists\0",
            b"IPRD\x16\0\0\0The Lighthouse Keeper\0",
            b"ICRD\x0B\0\0\x002026-11-27\0\0",
        ]
        .concat()
    );

    // Readers that forget pad bytes find the audio too.
    assert!(chunks(&path).iter().all(|(_, body)| body.len() % 2 == 0));
    let samples = hound::WavReader::open(&path).unwrap().duration();
    assert_eq!(samples, 192_000);
    // The audio is that of a file without metadata, and the position comes back.
    let plain = folder.path().join("plain.wav");
    let bounce = Bounce::new().metadata(Metadata::default());
    bounce.run(&film, &plain).unwrap();
    assert_eq!(chunks(&plain).len(), 2);
    assert!(audio(&path) == audio(&plain));
    let info = media::open(&path, None).unwrap().1;
    assert_eq!(info.time_reference, Some(Frames(172_972_800)));
}

#[test]
fn an_origin_round_trip_ends_at_frame_0() {
    let folder = tempfile::tempdir().unwrap();
    for (rate, fps) in [
        (48_000, FrameRate::FPS_23_976),
        (48_000, FrameRate::FPS_29_97_DF),
        (44_100, FrameRate::FPS_25),
        (96_000, FrameRate::FPS_24),
    ] {
        let film = reel(rate, fps);
        let written = folder.path().join(format!("{rate} {fps}.wav"));
        film.bounce(&written).unwrap();
        let name = written.file_name().unwrap().to_str().unwrap();
        let start = film.start.unwrap();
        let text = format!(
            "rate = {rate}\nfps = \"{fps}\"\nstart = \"{start}\"\n[track.back]\nfile = \"{name}\"\nat = \"origin\"\n"
        );
        let back = Load::default()
            .text(&text, folder.path().join("back.toml"))
            .unwrap();
        let rendered = folder.path().join(format!("{rate} {fps} back.wav"));
        back.bounce(&rendered).unwrap();
        assert!(audio(&written) == audio(&rendered), "{rate} {fps}");
    }
    // A range begins later.
    let film = reel(48_000, FrameRate::FPS_25);
    let part = folder.path().join("part.wav");
    let range = Frames(24_000)..Frames(60_000);
    Bounce::new().range(range).run(&film, &part).unwrap();
    let info = media::open(&part, None).unwrap().1;
    assert_eq!(info.time_reference, Some(Frames(172_824_000)));
    let cue = chunk(&part, "cue ");
    assert_eq!(
        (u32_at(&cue, 0), u32_at(&cue, 8), u32_at(&cue, 32)),
        (2, 12_000, 24_000)
    );
}

/// Returns the Vorbis comments of a FLAC file, by name.
fn comments(path: &Path) -> HashMap<String, String> {
    let bytes = fs::read(path).unwrap();
    let mut at = 4;
    loop {
        let size = usize::from(bytes[at + 1]) << 16
            | usize::from(bytes[at + 2]) << 8
            | usize::from(bytes[at + 3]);
        if bytes[at] & 0x7F == 4 {
            let block = &bytes[at + 4..at + 4 + size];
            let mut at = 4 + u32_at(block, 0) as usize + 4;
            let mut found = HashMap::new();
            while at < block.len() {
                let length = u32_at(block, at) as usize;
                let text = String::from_utf8(block[at + 4..at + 4 + length].to_vec()).unwrap();
                let (name, value) = text.split_once('=').unwrap();
                found.insert(name.to_owned(), value.to_owned());
                at += 4 + length;
            }
            return found;
        }
        at += 4 + size;
    }
}

#[test]
fn pieces_of_a_flac_album_state_its_loudness_and_its_artist_where_they_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut film = Session::new(SampleRate::HZ_48000, Layout::Mono);
    film.album.artist = "The Band".into();
    let noise = |seed| stem(seed, 48_000, Layout::Mono, 24_000);
    film.add_cue(Cue::new("one").track(Track::new("x", noise(1)).gain(Decibels(-6.0))));
    film.add_cue(
        Cue::new("two")
            .artist("A. Guest")
            .track(Track::new("x", noise(2))),
    );
    let any = LoudnessTarget::default().true_peak(Dbtp(20.0));
    let album = Deliverable::new("album", folder.path().join("{nn}.flac")).album(true);
    film.deliverables = vec![album.format(Format::FLAC_24).loudness(any)];
    let done = Delivery::new().run(&film).unwrap();
    let own = &done.deliverables[0];
    let peak = own.true_peak.unwrap().true_peak_dbtp.unwrap();
    let of = |file: &str| comments(&folder.path().join(file));
    for (file, artist) in [("01.flac", "The Band"), ("02.flac", "A. Guest")] {
        let found = of(file);
        assert_eq!(found["ARTIST"], artist);
        assert_eq!(
            found["REPLAYGAIN_ALBUM_PEAK"],
            format!("{:.6}", 10f64.powf(peak / 20.0))
        );
        assert!(found["REPLAYGAIN_ALBUM_GAIN"].ends_with(" dB"), "{found:?}");
    }
    // The second piece is twice as loud, and longer gates make no difference to noise.
    let gain = |name: &str| {
        of("02.flac")[name]
            .trim_end_matches(" dB")
            .parse::<f64>()
            .unwrap()
    };
    let louder = gain("REPLAYGAIN_ALBUM_GAIN") - gain("REPLAYGAIN_TRACK_GAIN");
    let mean = -10.0 * f64::log10((1.0 + 10f64.powf(-0.6)) / 2.0);
    assert!((louder - mean).abs() < 0.2, "{louder} {mean}");
}

#[test]
fn deliverables_state_loudness_stems_and_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut film = reel(48_000, FrameRate::FPS_24);
    let buses: Vec<_> = film.bus_ids().collect();
    let any = LoudnessTarget::default().true_peak(Dbtp(20.0));
    film.deliverables = vec![
        Deliverable::new("full", path("full.wav")).loudness(any),
        Deliverable::new("flac", path("full.flac")).format(Format::FLAC_16),
        Deliverable::new("stems", path("{bus}.wav")).stems(buses),
        Deliverable::new("album", path("{artist} {isrc}.wav")).album(true),
        Deliverable::new("flacs", path("{nn}.flac"))
            .album(true)
            .format(Format::FLAC_24),
    ];
    let done = Delivery::new().run(&film).unwrap();
    let mix = &done.deliverables[0].files[0].report.mix;
    let bext = chunk(&path("full.wav"), "bext");
    let level = |at: usize| i16::from_le_bytes(bext[at..at + 2].try_into().unwrap());
    let hundredths = |level: Option<f64>| (100.0 * level.unwrap()).round() as i16;
    assert_eq!(level(412), hundredths(mix.integrated_lufs));
    assert_eq!(level(414), hundredths(mix.loudness_range_lu));
    assert_eq!(level(416), hundredths(mix.true_peak_dbtp));
    assert_eq!(level(418), hundredths(mix.momentary_max_lufs));
    assert_eq!(level(420), hundredths(mix.short_term_max_lufs));
    assert!(level(412) < -600 && level(412) > -3000);

    let found = comments(&path("full.flac"));
    let gain = format!("{:+.2} dB", -18.0 - mix.integrated_lufs.unwrap());
    let peak = format!("{:.6}", 10f64.powf(mix.true_peak_dbtp.unwrap() / 20.0));
    for (name, value) in [
        ("TITLE", "Reel 2"),
        ("ARTIST", "Various Artists"),
        ("ALBUM", "The Lighthouse Keeper"),
        ("LABEL", "Some Records"),
        ("DATE", "2026-11-27"),
        ("BARCODE", "00602547924032"),
        ("CHAPTER000", "00:00:00.750"),
        ("CHAPTER000NAME", "lightning"),
        ("CHAPTER001", "00:00:01.000"),
        ("REPLAYGAIN_TRACK_GAIN", gain.as_str()),
        ("REPLAYGAIN_TRACK_PEAK", peak.as_str()),
        ("REPLAYGAIN_REFERENCE_LOUDNESS", "-18.00 LUFS"),
    ] {
        assert_eq!(
            found.get(name).map(String::as_str),
            Some(value),
            "{name}: {found:?}"
        );
    }

    let uid = |file: &str| {
        let xml = String::from_utf8(chunk(&path(file), "iXML")).unwrap();
        let between = |name: &str| {
            let (open, close) = (format!("<{name}>"), format!("</{name}>"));
            let rest = xml.split_once(&open).unwrap().1;
            rest.split_once(&close).unwrap().0.to_owned()
        };
        (
            between("FAMILY_UID"),
            ["TOTAL_FILES", "FAMILY_NAME", "FILE_SET_INDEX", "NAME"].map(between),
        )
    };
    let (music, speech) = (uid("music.wav"), uid("dialogue.wav"));
    assert_eq!(music.0, speech.0);
    assert_eq!(music.0.len(), 16);
    assert_eq!(music.1, ["2", "Reel 2", "A", "music L"]);
    assert_eq!(speech.1, ["2", "Reel 2", "B", "dialogue L"]);
    let stem = chunk(&path("music.wav"), "bext");
    assert_eq!(stem[..14], *b"Reel 2 - music");
    assert_eq!(stem[412..414], [0xFF, 0x7F]);

    let piece = path("The Harbour Orchestra GBABC2600001.wav");
    let bext = chunk(&piece, "bext");
    assert_eq!(bext[..10], *b"The Storm\0");
    assert_eq!(bext[288..300], *b"GBABC2600001");
    assert_eq!(bext[338..346], [0; 8]);
    let id3 = chunk(&piece, "id3 ");
    let frame = |id: &str, text: &str| {
        let size = u8::try_from(text.len() + 1).unwrap();
        [id.as_bytes(), &[0, 0, 0, size, 0, 0, 3], text.as_bytes()].concat()
    };
    let frames = [
        frame("TIT2", "The Storm"),
        frame("TPE1", "The Harbour Orchestra"),
        frame("TALB", "The Lighthouse Keeper"),
        frame("TPE2", "Various Artists"),
        frame("TCOM", "A. Writer"),
        frame("TRCK", "1/1"),
        frame("TDRC", "2026-11-27"),
        frame("TPUB", "Some Records"),
        frame("TSRC", "GBABC2600001"),
    ]
    .concat();
    let frames = [frames.as_slice(), &[0][..frames.len() % 2]].concat();
    let size = u8::try_from(frames.len() - 128).unwrap();
    assert_eq!(
        id3,
        [&b"ID3\x04\0\0\0\0\x01"[..], &[size], &frames].concat()
    );
    let tags = comments(&path("01.flac"));
    for (name, value) in [
        ("TITLE", "The Storm"),
        ("TRACKNUMBER", "1"),
        ("TRACKTOTAL", "1"),
        ("COMPOSER", "A. Writer"),
        ("PUBLISHER", "Some Music Ltd"),
        ("ISRC", "GBABC2600001"),
        ("CHAPTER000", "00:00:00.500"),
    ] {
        assert_eq!(tags.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(tags.contains_key("REPLAYGAIN_TRACK_GAIN"));

    // A second run writes the same bytes.
    let files = || -> Vec<Vec<u8>> {
        let files = done.deliverables.iter().flat_map(|d| &d.files);
        files
            .map(|f| fs::read(f.report.output.as_ref().unwrap()).unwrap())
            .collect()
    };
    let before = files();
    Delivery::new()
        .overwrite(true)
        .threads(1)
        .run(&film)
        .unwrap();
    assert!(before == files());
    other_programs_read(&path("full.wav"), &piece, &path("01.flac"));
}

fn other_programs_read(full: &Path, piece: &Path, flac: &Path) {
    if !have(&["ffprobe", "metaflac", "flac"]) {
        return;
    }
    let tags = |path: &Path| {
        let path = path.to_str().unwrap();
        let text = run(
            "ffprobe",
            &[
                "-v",
                "error",
                "-show_entries",
                "format_tags",
                "-of",
                "flat",
                path,
            ],
        );
        String::from_utf8(text).unwrap()
    };
    for (path, words) in [
        (full, "time_reference=\"172800000\""),
        (full, "encoded_by=\"soundtrack\""),
        (full, "title=\"Reel 2\""),
        (full, "date=\"2026-11-27\""),
        (piece, "artist=\"The Harbour Orchestra\""),
        (piece, "originator_reference=\"GBABC2600001\""),
        (flac, "ISRC=\"GBABC2600001\""),
        (flac, "track=\"1\""),
    ] {
        assert!(
            tags(path).contains(words),
            "{words} is not in {}",
            tags(path)
        );
    }
    let flac = flac.to_str().unwrap();
    run("flac", &["-t", "-s", "-w", flac]);
    let listed = String::from_utf8(run("metaflac", &["--list", flac])).unwrap();
    assert!(listed.contains("vendor string: soundtrack "), "{listed}");
}

#[test]
fn hostile_texts_are_escaped_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    let mut film = reel(48_000, FrameRate::FPS_25);
    film.title = "=1+1 <b>\n\u{7}\u{202e}&\u{fffe}".into();
    film.markers[0].name = "line\r\nbreak".into();
    film.bounce(&path).unwrap();
    let xml = String::from_utf8(chunk(&path, "iXML")).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let project = document
        .descendants()
        .find(|n| n.tag_name().name() == "PROJECT")
        .unwrap();
    assert_eq!(project.text(), Some("=1+1 <b>  \u{202e}&\u{fffd}"));
    assert_eq!(chunk(&path, "bext")[..11], *b"=1+1 <b>???");
    let labels = String::from_utf8_lossy(&chunk(&path, "LIST")).into_owned();
    assert!(labels.contains("line  break\0"));
    // Long texts are cut where the field ends, and refused where they would fill the header.
    film.title = "é".repeat(50_000);
    film.bounce(folder.path().join("b.wav")).unwrap();
    film.title = "é".repeat(300_000);
    let flac = Bounce::new()
        .format(Format::FLAC_16)
        .run(&film, folder.path().join("c.flac"));
    for e in [
        film.bounce(folder.path().join("c.wav")).unwrap_err(),
        flac.unwrap_err(),
    ] {
        assert!(
            e.to_string().contains("its metadata takes ") && e.to_string().contains("c."),
            "{e}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);

    let text = "rate = 48000\n[album]\nartist = \"a\\nb\"\ndate = \"yesterday\"\nupc = \"602547924033\"\n\
                [cue.c]\nat = \"0s\"\nisrc = \"GB-ABC-26-1\"\ncomposer = [\"ok\", \"a\\u0000b\"]\n\
                [cue.c.track.t]\nfile = \"a.wav\"\n";
    let e = Load::default()
        .text(text, folder.path().join("s.toml"))
        .unwrap_err();
    let found: Vec<String> = e
        .problems()
        .iter()
        .map(|p| format!("{} {}", p.span.as_ref().unwrap().line, p))
        .collect();
    let all = found.join("\n");
    for words in [
        "3 ",
        "artist: holds the control character '\\n': remove it",
        "\"yesterday\" is no date, like 2026, 2026-11 or 2026-11-27",
        "upc: \"602547924033\" has a wrong check digit: the last digit would be 2",
        "isrc: \"GB-ABC-26-1\" is no ISRC: it has 12 characters, like GBABC2600001",
        "composer: holds the control character '\\0': remove it",
    ] {
        assert!(all.contains(words), "{words} is not in {all}");
    }
    assert_eq!(found.len(), 5, "{all}");
    // The same holds for a session that a program builds.
    let mut film = reel(48_000, FrameRate::FPS_25);
    film.album.date = "1".into();
    assert!(Plan::compile(&film).is_err());
}

/// Returns the Vorbis comments of a FLAC file as they are written.
fn written_comments(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap();
    let mut at = 4;
    while bytes[at] & 0x7F != 4 {
        let size = u32::from_be_bytes([0, bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        at += 4 + size as usize;
    }
    let block = &bytes[at + 4..];
    let mut at = 4 + u32_at(block, 0) as usize;
    let count = u32_at(block, at);
    at += 4;
    let mut next = || {
        let length = u32_at(block, at) as usize;
        let text = String::from_utf8(block[at + 4..at + 4 + length].to_vec()).unwrap();
        at += 4 + length;
        text
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn hostile_titles_break_no_delivered_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut film = reel(48_000, FrameRate::FPS_25);
    let title = "=HYPERLINK(1)\r\nARTIST=x\0</script><b>\"";
    film.title = title.into();
    let storm = &mut film.cues_mut()[0];
    storm.title = title.into();
    storm.markers[0].name = "x\nCHAPTER001=00:00:00.000".into();
    let album = Deliverable::new("FAILED", path("{nn}.flac")).album(true);
    film.deliverables = vec![
        Deliverable::new("mix", path("mix.wav")),
        album.format(Format::FLAC_16).listing(true),
        Deliverable::new("sheet", path("sheet.csv")).cue_sheet(true),
        Deliverable::new("page", path("page.html")).report(true),
        Deliverable::new("data", path("data.json")).report(true),
    ];
    film.album.title = "Album".into();
    let done = Delivery::new().run(&film).unwrap();
    assert!(done.passed());

    let tags = written_comments(&path("01.flac"));
    assert!(
        tags.contains(&"TITLE==HYPERLINK(1)  ARTIST=x </script><b>\"".to_owned()),
        "{tags:?}"
    );
    assert!(
        tags.iter().all(|tag| !tag.contains(char::is_control)),
        "{tags:?}"
    );
    assert_eq!(
        tags.iter().filter(|tag| tag.starts_with("ARTIST=")).count(),
        1
    );
    let chapters: Vec<&String> = tags
        .iter()
        .filter(|tag| tag.starts_with("CHAPTER"))
        .collect();
    assert_eq!(
        chapters,
        [
            "CHAPTER000=00:00:00.500",
            "CHAPTER000NAME=x CHAPTER001=00:00:00.000"
        ]
    );

    let listing = fs::read_to_string(path("Album.cue")).unwrap();
    let titles: Vec<&str> = listing
        .lines()
        .filter(|l| l.trim().starts_with("TITLE"))
        .collect();
    assert_eq!(
        titles,
        [
            "TITLE \"Album\"",
            "    TITLE \"=HYPERLINK(1)  ARTIST=x </script><b>'\""
        ]
    );
    assert_eq!(listing.matches("PERFORMER").count(), 2);
    let sheet = fs::read_to_string(path("sheet.csv")).unwrap();
    let row = sheet.lines().nth(1).unwrap();
    assert!(
        row.starts_with("1,\"'=HYPERLINK(1)  ARTIST=x </script><b>\"\"\","),
        "{row}"
    );
    assert_eq!(
        sheet.lines().count(),
        3,
        "a head, a row and the total: {sheet}"
    );
    let page = fs::read_to_string(path("page.html")).unwrap();
    assert!(!page.contains("</script><b>") && page.contains("&lt;/script&gt;&lt;b&gt;"));
    // The word in the name of a deliverable is no verdict.
    assert!(!page.contains("class=\"failed\""));
    let data: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path("data.json")).unwrap()).unwrap();
    assert_eq!(data["title"], title);
    let xml = String::from_utf8(chunk(&path("mix.wav"), "iXML")).unwrap();
    roxmltree::Document::parse(&xml).unwrap();
}
