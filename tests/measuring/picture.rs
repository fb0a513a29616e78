//! The report as a picture: what it is drawn from is exact and the same for any block size, and what comes out is
//! well-formed, the same every time, and safe whatever things are called.

use serde_json::Value;
use soundtrack::{
    Clip, Curve, Dbtp, Decibels, Frames, Insert, Layout, Report, SampleRate, Session, Shape, Spec,
    Track,
    media::Memory,
    report::{self, CueOverview, MarkerOverview},
};
use soundtrack_test_support::renders::{gathered, noise, overview};

const MONO: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Mono,
};

/// A mono track that holds `value(frame)`, at a frame of the timeline.
fn track(name: &str, at: u64, frames: u64, value: impl Fn(u64) -> f64) -> Track {
    let memory = Memory::new(MONO, vec![(0..frames).map(value).collect()]).unwrap();
    Track::of(name).clip(Clip::new(memory).at(Frames(at)))
}

#[test]
fn bins_hold_the_closed_form() {
    // 1000 frames in 10 bins: a ramp from frame 250 on under half gain, then silence to the end.
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
    session.length = Some(Frames(1000));
    session.add_track(
        track("ramp", 250, 512, |n| n as f64 / 1024.0).gain(Decibels(20.0 * 0.5f64.log10())),
    );
    let overview = overview(&session, 10, 4096, 1, 0..1000);
    assert_eq!(
        (overview.frames_per_bin, overview.mix_channels.len()),
        (100, 1)
    );
    let wave = &overview.tracks[0].waveform;
    for bin in 0..10u64 {
        let inside = (bin * 100..bin * 100 + 100).map(|f| {
            if (250..762).contains(&f) {
                (f - 250) as f64 / 2048.0
            } else {
                0.0
            }
        });
        let most = inside.clone().fold(0.0, f64::max);
        let least = inside.clone().fold(f64::INFINITY, f64::min);
        let rms = (inside.map(|v| v * v).sum::<f64>() / 100.0).sqrt();
        let bin = bin as usize;
        assert!(
            (f64::from(wave.max[bin]) - most).abs() < 1e-7
                && (f64::from(wave.min[bin]) - least).abs() < 1e-7,
            "{bin}"
        );
        assert!(
            (f64::from(overview.mix.waveform.rms[bin]) - rms).abs() < 1e-7,
            "{bin}"
        );
    }
    assert!(wave.rms.is_empty());
    let [start, end] = overview.tracks[0].clips_s[0];
    assert!((start - 250.0 / 48_000.0).abs() < 1e-9 && (end - 762.0 / 48_000.0).abs() < 1e-9);
}

#[test]
fn curves_and_overs_lie_where_they_are() {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let up = Curve::new()
        .point(Frames(0), Decibels::SILENCE, Shape::Linear)
        .point(Frames(48_000), Decibels(-6.0), Shape::Step);
    session.add_track(track("a", 0, 96_000, |_| 0.5).gain_curve(up));
    session.add_track(track("b", 0, 96_000, |n| {
        if n == 60_000 || n == 90_000 {
            1.75
        } else {
            0.0
        }
    }));
    let overview = overview(&session, 500, 333, 1, 0..96_000);
    let curve: Vec<_> = overview.tracks[0]
        .gain_curve
        .iter()
        .map(|p| (p.at_s, p.gain_db))
        .collect();
    let jump = 47_999.0 / 48_000.0;
    assert_eq!((curve[0], curve[1].1, curve[2].0), ((0.0, None), None, 1.0));
    assert!((curve[1].0 - jump).abs() < 1e-9 && (curve[2].1.unwrap() + 6.0).abs() < 1e-12);
    let level = 20.0 * (1.75 + 0.5 * 10f64.powf(-0.3)).log10();
    let overs: Vec<_> = overview
        .overs
        .iter()
        .map(|o| (o.at_frame, o.at_s, o.frames))
        .collect();
    assert_eq!(
        (overs, overview.over_samples),
        (vec![(60_000, 1.25, 1), (90_000, 1.875, 1)], 2)
    );
    assert!(
        overview
            .overs
            .iter()
            .all(|o| (o.peak_dbfs - level).abs() < 1e-9)
    );
}

#[test]
fn the_mix_is_drawn_behind_the_limiter() {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
    session.add_track(track("loud", 0, 48_000, |n| {
        1.6 * (n as f64 / 900.0).sin() * (n as f64 * 0.05).sin()
    }));
    session.master.limit = Some(Dbtp(-1.0));
    let report = gathered(&session, 300, 4096, 1, 0..48_000);
    let whole = report.overview.clone().unwrap();
    for block in [1, 333, 65_536] {
        assert_eq!(
            overview(&session, 300, block, 1, 0..48_000),
            whole,
            "{block}"
        );
    }
    let most = |wave: &report::Waveform| wave.max.iter().copied().fold(0.0, f32::max);
    assert!(most(&whole.tracks[0].waveform) > 1.59);
    assert!(
        (0.85..=0.892).contains(&most(&whole.mix.waveform)),
        "{}",
        most(&whole.mix.waveform)
    );
    assert_eq!((whole.overs, whole.over_samples), (vec![], 0));
    assert!(report.to_svg().contains("class=\"reduction\""));
}

#[test]
fn the_gain_reduction_of_every_insert_has_a_lane_on_one_scale() {
    // Down by 9 dB, by 6 dB for the second half, and not at all.
    let compressor = |threshold| {
        let values = [
            ("ratio", 4.0),
            ("knee", 0.0),
            ("attack", 0.0),
            ("release", 0.0),
        ];
        let insert = Insert::new("compressor")
            .unwrap()
            .set("threshold", threshold);
        values.iter().fold(insert.unwrap(), |insert, (key, value)| {
            insert.set(key, *value).unwrap()
        })
    };
    let level = 10f64.powf(-8.0 / 20.0);
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
    session.add_track(track("a", 0, 48_000, |_| level).insert(compressor(-20.0).named("<first>")));
    let half = |n| if n < 24_000 { 0.0 } else { level };
    session.add_track(track("b", 0, 48_000, half).insert(compressor(-16.0)));
    session.add_track(track("c", 0, 48_000, |_| 0.01).insert(compressor(-20.0)));
    let picture = gathered(&session, 100, 4096, 1, 0..48_000).to_svg();
    let tree = roxmltree::Document::parse(&picture).unwrap();
    let class = |n: &roxmltree::Node<'_, '_>| n.attribute("class").unwrap_or_default().to_owned();
    let inserts: Vec<_> = tree
        .descendants()
        .filter(|n| class(n).starts_with("insert "))
        .collect();
    let texts = |n: &roxmltree::Node<'_, '_>| -> Vec<String> {
        let texts = n.descendants().filter(|n| n.is_text());
        texts.filter_map(|n| n.text().map(str::to_owned)).collect()
    };
    assert_eq!(inserts.len(), 2);
    assert_eq!(
        texts(&inserts[0]),
        [
            "<first> · compressor",
            "mean −9.0 dB",
            "−9.0",
            "0:00.000",
            "0",
            "−9"
        ]
    );
    assert_eq!(
        texts(&inserts[1]),
        ["compressor", "mean −3.0 dB", "−6.0", "0:00.500", "0", "−9"]
    );
    assert!(texts(&tree.root()).contains(&"Gain reduction to −9 dB".to_owned()));
    // Lanes of 32 units, 30 of them drawn, in quarters, with a column for each tenth of a second: 9 dB are all of it, 6 dB
    // are two thirds.
    let paths: Vec<_> = tree
        .descendants()
        .filter(|n| class(n) == "reduction")
        .filter_map(|n| n.attribute("d"))
        .collect();
    assert_eq!(
        paths,
        ["M0 0l.5 0l9 0 0 120-9 0z", "M5 0l.5 0l4 0 0 80-4 0z"]
    );
}

/// A report with everything that can be drawn, its names out to break the page.
fn hostile() -> (Report, &'static str) {
    const NAME: &str =
        "</text></svg></script><script>alert('x')</script>\"'&amp;\u{0}\u{1b}\u{ffff}\u{2028}木";
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    session.title = NAME.to_owned();
    let bus = session.add_bus(soundtrack::Bus::new(NAME));
    let curve = Curve::new()
        .point(Frames(0), Decibels(-9.0), Shape::Linear)
        .point(Frames(4000), Decibels(3.0), Shape::Sine);
    session.add_track(
        track(NAME, 0, 48_000, |n| 2.0 * noise(1, 0, n))
            .to(bus)
            .gain_curve(curve),
    );
    let wild = track(
        "wild",
        20_000,
        9000,
        |n| if n % 2 == 0 { 1e30 } else { -1e30 },
    );
    session.add_track(wild.gain(Decibels(200.0)));
    session.add_track(track("quiet", 0, 10, |_| 0.0));
    let mut report = gathered(&session, 2000, 4096, 1, 0..48_000);
    report.output = Some(format!("out/{NAME}.wav"));
    let overview = report.overview.as_mut().unwrap();
    let (mut cue, mut marker) = (CueOverview::default(), MarkerOverview::default());
    (cue.name, cue.start_s, cue.end_s) = (NAME.to_owned(), 0.1, 0.5);
    (marker.name, marker.at_s) = (NAME.to_owned(), 0.25);
    (overview.cues, overview.markers) = (vec![cue], vec![marker]);
    (report, NAME)
}

#[test]
fn a_picture_is_well_formed_whatever_things_are_called() {
    let (report, _) = hostile();
    let picture = report.to_svg();
    let tree = roxmltree::Document::parse(&picture).unwrap();
    let count = |name: &str| {
        tree.descendants()
            .filter(|n| n.tag_name().name() == name)
            .count()
    };
    assert_eq!((count("script"), count("svg"), count("style")), (0, 1, 1));
    let texts: Vec<_> = tree.descendants().filter_map(|n| n.text()).collect();
    assert!(
        texts
            .iter()
            .any(|t| t.contains("</text></svg></script><script>alert('x')</script>\"'&amp;"))
    );
    // Nothing comes from elsewhere, and no number is none.
    for word in [
        "http://", "https://", "url(", "href", "@import", "NaN", "inf\"", "inf ",
    ] {
        assert_eq!(
            picture
                .replace("xmlns=\"http://www.w3.org/2000/svg\"", "")
                .matches(word)
                .count(),
            0,
            "{word}"
        );
    }
    assert_eq!(picture, report.to_svg());
    let many = report::svg_of(&vec![report; 3]);
    assert!(roxmltree::Document::parse(&many).is_ok());
}

#[test]
fn a_page_runs_no_name_and_its_data_is_plain() {
    let (report, name) = hostile();
    let page = report.to_html(Some("../out/a \"b\".wav"));
    assert_eq!(page, report.to_html(Some("../out/a \"b\".wav")));
    // Two script elements: the data and the program, both closed once.
    assert_eq!(
        (
            page.matches("<script").count(),
            page.matches("</script>").count()
        ),
        (2, 2)
    );
    assert!(page.contains("src=\"./../out/a%20%22b%22.wav\""));
    for word in [
        "http://",
        "https://",
        "url(",
        "@import",
        "<link",
        "<img",
        "fetch(",
        "innerHTML",
        "eval(",
    ] {
        assert_eq!(
            page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "")
                .matches(word)
                .count(),
            0,
            "{word}"
        );
    }
    let data = page
        .split("<script type=\"application/json\">")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (
            data["lanes"][0]["name"].as_str(),
            data["markers"][0][1].as_f64()
        ),
        (Some(name), Some(0.25))
    );
    // The SVG inside is well-formed too.
    let (from, to) = (page.find("<svg").unwrap(), page.find("</svg>").unwrap() + 6);
    assert!(roxmltree::Document::parse(&page[from..to]).is_ok());
}

#[test]
fn the_data_has_no_number_that_is_none() {
    let (report, _) = hostile();
    let json: Value = serde_json::from_str(&report.to_json()).unwrap();
    let overview = &json["overview"];
    for wave in [
        &overview["tracks"][1]["waveform"],
        &overview["mix"]["waveform"],
        &overview["mix_channels"][1],
    ] {
        for key in ["min", "max", "rms"] {
            assert!(
                wave[key].as_array().unwrap().iter().all(Value::is_number),
                "{key}"
            );
        }
        assert_eq!(wave["max"].as_array().unwrap().len(), 2000);
    }
    assert!(overview["overs"].as_array().unwrap().len() <= 100);
    assert_eq!(json["overview"]["frames_per_bin"], 24);
    assert!(
        Report::default().to_json().contains("\"warnings\"")
            && !Report::default().to_json().contains("overview")
    );
}

#[test]
fn every_size_is_drawn() {
    // No length; one frame; 200 tracks. The mix has a lane where it is not what the only track gives.
    for (tracks, frames, drawn) in [(1, 0, 1), (1, 1, 1), (200, 4000, 201)] {
        let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        for i in 0..tracks {
            session.add_track(track(&format!("t{i}"), 0, frames, |n| 0.1 * noise(i, 0, n)));
        }
        let picture = gathered(&session, 2000, 4096, 1, 0..frames).to_svg();
        let tree = roxmltree::Document::parse(&picture).unwrap();
        let lane = |n: &roxmltree::Node| {
            n.attribute("class")
                .is_some_and(|c| c.starts_with("lane c"))
        };
        assert_eq!(
            tree.descendants().filter(lane).count(),
            drawn,
            "{tracks} tracks, {frames} frames"
        );
    }
}

#[test]
fn the_waveform_for_web_players_has_the_samples() {
    let mut session = Session::new(SampleRate::HZ_44100, Layout::Stereo);
    let ramp = |sign: f64| (0..8).map(|n| sign * f64::from(n) / 8.0).collect();
    let spec = Spec {
        rate: SampleRate::HZ_44100,
        layout: Layout::Stereo,
    };
    session.add_track(Track::new(
        "x",
        Memory::new(spec, vec![ramp(1.0), ramp(-2.0)]).unwrap(),
    ));
    let report = gathered(&session, 3, 4096, 1, 0..8);
    let json: Value = serde_json::from_str(&report.to_waveform_json().unwrap()).unwrap();
    let head = [
        "version",
        "channels",
        "sample_rate",
        "samples_per_pixel",
        "bits",
        "length",
    ]
    .map(|k| json[k].as_u64().unwrap());
    assert_eq!(head, [2, 2, 44_100, 3, 16, 3]);
    let data: Vec<i64> = json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_i64().unwrap())
        .collect();
    assert_eq!(
        data,
        [
            0, 8192, -16_384, 0, 12_288, 20_480, -32_768, -24_576, 24_576, 28_672, -32_768, -32_768
        ]
    );
    assert_eq!(Report::default().to_waveform_json(), None);
}
