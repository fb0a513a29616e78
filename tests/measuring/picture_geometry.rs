//! The geometry of the picture: no text meets another, a mark or the edge of the page, with the widths of Helvetica and
//! a tenth more, which most fonts of screens need.

use soundtrack::{
    Bounce, Bus, Cue, Curve, Decibels, Frames, Insert, Layout, Marker, Plan, Report, SampleRate,
    Session, Shape, Spec, Timecode, Track, Use, media::Memory, report,
};
use soundtrack_test_support::renders::noise;

const RATE: SampleRate = SampleRate::HZ_48000;
const WIDTH: f64 = 1280.0;
/// Widths of the printable ASCII characters in Helvetica, from the space on, in thousandths of the size.
#[rustfmt::skip]
const HELVETICA: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

fn text_width(text: &str, size: f64) -> f64 {
    let thousandths = |c: char| match c {
        ' '..='~' => HELVETICA[c as usize - 32],
        '−' | '±' => 584,
        '·' => 278,
        '\u{202f}' => 150,
        _ => 1000,
    };
    let sum: f64 = text.chars().map(|c| f64::from(thousandths(c))).sum();
    1.1 * size * sum / 1000.0
}

/// A text or a mark of the picture.
#[derive(Debug)]
struct Shape2d {
    name: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Returns the font size of a class in the style of the picture, and whether it is bold.
fn font(style: &str, class: &str) -> (f64, bool) {
    let (mut size, mut is_bold) = (12.0, false);
    for class in class.split(' ') {
        let rules = style.split('}').filter(|rule| {
            rule.trim_start()
                .strip_prefix('.')
                .and_then(|r| r.split_once('{'))
                .is_some_and(|(name, _)| name == class)
        });
        for rule in rules {
            if let Some((_, rest)) = rule.split_once("font-size:") {
                size = rest.split("px").next().unwrap().parse().unwrap();
            }
            is_bold |= rule.contains("font-weight:6");
        }
    }
    (size, is_bold)
}

/// Returns every text and mark of a picture.
fn shapes(picture: &str) -> Vec<Shape2d> {
    let tree = roxmltree::Document::parse(picture).unwrap();
    let style = tree
        .descendants()
        .find(|n| n.has_tag_name("style"))
        .unwrap();
    let style = style.text().unwrap();
    let mut shapes = Vec::new();
    for node in tree.descendants() {
        let class = node.attribute("class").unwrap_or_default();
        let moved: f64 = node
            .ancestors()
            .filter_map(|n| {
                n.attribute("transform")?
                    .strip_prefix("translate(0 ")?
                    .split(')')
                    .next()?
                    .parse::<f64>()
                    .ok()
            })
            .sum();
        let number = |key: &str| {
            node.attribute(key)
                .map_or(0.0, |v| v.parse::<f64>().unwrap())
        };
        if node.has_tag_name("text") {
            let (size, is_bold) = font(style, class);
            let (mut text, mut width) = (String::new(), 0.0);
            for child in node.children() {
                let own = child.text().unwrap_or_default();
                if child.has_tag_name("tspan") {
                    width += 5.0 + text_width(own, font(style, "unit").0);
                } else if child.is_text() {
                    width += text_width(own, size) * if is_bold { 1.06 } else { 1.0 };
                } else {
                    continue;
                }
                text += own;
            }
            let x = number("x");
            let left = match node.attribute("text-anchor") {
                Some("end") => x - width,
                Some("middle") => x - width / 2.0,
                _ => x,
            };
            let y = number("y") + moved;
            shapes.push(Shape2d {
                name: format!("{class}: {text}"),
                left,
                right: left + width,
                top: y - 0.72 * size,
                bottom: y + 0.2 * size,
            });
        } else if matches!(class, "over-mark" | "mark") {
            let data = node.attribute("d").unwrap();
            let start: Vec<f64> = data[1..]
                .split(|c: char| c.is_ascii_alphabetic())
                .next()
                .unwrap()
                .split(' ')
                .map(|n| n.parse().unwrap())
                .collect();
            let (x, y) = (start[0], start[1] + moved);
            let [left, right, top, bottom] = if class == "mark" {
                [x, x + 10.0, y - 5.0, y + 8.0]
            } else {
                [x - 5.0, x + 5.0, y - 8.0, y]
            };
            shapes.push(Shape2d {
                name: class.to_owned(),
                left,
                right,
                top,
                bottom,
            });
        }
    }
    shapes
}

/// Panics if two texts, or a text and a mark, meet, or if one lies outside the page.
fn check(reports: &[Report]) {
    let picture = report::svg_of(reports);
    let all = shapes(&picture);
    assert!(all.len() > 20, "{}", all.len());
    let height: f64 = roxmltree::Document::parse(&picture)
        .unwrap()
        .root_element()
        .attribute("height")
        .unwrap()
        .parse()
        .unwrap();
    for (n, a) in all.iter().enumerate() {
        assert!(
            a.left >= 0.0 && a.right <= WIDTH && a.top >= 0.0 && a.bottom <= height,
            "outside: {a:?}"
        );
        for b in &all[n + 1..] {
            let apart =
                a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
            // Two marks of overs may touch: they are the same sign at times close to each other.
            let is_text = a.name.contains(':') || b.name.contains(':');
            assert!(apart || !is_text, "meet:\n{a:?}\n{b:?}");
        }
    }
}

/// A mono track of noise at this level in dBFS.
fn track(name: &str, seed: u64, level: f64, at: u64, frames: u64) -> Track {
    let spec = Spec {
        rate: RATE,
        layout: Layout::Mono,
    };
    let gain = 10f64.powf(level / 20.0);
    let samples = (0..frames).map(|n| gain * noise(seed, 0, n)).collect();
    let memory = Memory::new(spec, vec![samples]).unwrap();
    Track::of(name).clip(soundtrack::Clip::new(memory).at(Frames(at)))
}

fn rendered(session: &Session) -> Report {
    let bounce = Bounce::new().overview(300).measure_strips(true);
    let mut report = bounce.dry_run(Plan::compile(session).unwrap()).unwrap();
    report.title.clone_from(&session.title);
    report.output = Some("out/a long folder/The Lighthouse Keeper - Reel 2.wav".to_owned());
    report
}

/// A session with everything that has a text: cues and markers close together, inserts, automation, overs, long names.
fn everything(tracks: u64) -> Session {
    let mut session = Session::new(RATE, Layout::Stereo);
    session.title = "The Lighthouse Keeper - Reel 2, the version for cinemas with the long ending, as delivered".to_owned();
    let fps = "24".parse().unwrap();
    session.fps = Some(fps);
    session.start = Some(Timecode::parse("01:00:00:00", fps).unwrap());
    let compressor = || {
        Insert::new("compressor")
            .unwrap()
            .set("threshold", -40.0)
            .unwrap()
    };
    let music = session.add_bus(Bus::new("music and effects, all of them").insert(compressor()));
    for n in 0..tracks {
        let name = [
            "violins",
            "ドラムセット・オーバーヘッド左右",
            "first violins, divisi a 3, con sordino",
        ][(n % 3) as usize];
        let mut track = track(
            &format!("{name} {n}"),
            n,
            6.0 - 2.0 * n as f64,
            n * 100,
            48_000 * 3,
        );
        if n % 2 == 0 {
            track = track
                .to(music)
                .gain(Decibels(-3.5))
                .pan(soundtrack::Pan(-0.2));
        }
        if n % 3 == 0 {
            let curve = Curve::new()
                .point(Frames(0), Decibels(-30.0), Shape::Linear)
                .point(Frames(96_000), Decibels(6.0), Shape::Linear);
            track = track
                .gain_curve(curve)
                .insert(compressor().named("comp of the second pass"));
        }
        session.add_track(track);
    }
    for n in 0..5u64 {
        session.add_cue(
            Cue::new(format!("The Storm over the harbour {n}"))
                .track(track("x", n, -12.0, 0, 24_000))
                .used(Use::at(Frames(9_000 * n))),
        );
        session.markers.push(Marker {
            at: Frames(140_000 + 800 * n),
            name: format!("lightning {n}"),
        });
    }
    session
}

#[test]
fn nothing_overlaps_whatever_the_number_of_lanes() {
    for tracks in [1, 3, 12, 40] {
        let report = rendered(&everything(tracks));
        assert!(report.mix.integrated_lufs.is_some() && report.tracks[0].strip.levels.is_some());
        check(&[report]);
    }
}

#[test]
fn a_very_quiet_or_loud_lane_has_one_number_at_its_end() {
    let mut session = Session::new(RATE, Layout::Stereo);
    for (n, level) in [-90.0, -60.0, 0.0, 18.0, -120.0].into_iter().enumerate() {
        session.add_track(track(&format!("t{n}"), n as u64, level, 0, 48_000));
    }
    for n in 0..40 {
        session.add_track(track(&format!("low {n}"), 9, -72.5, 0, 48_000));
    }
    let report = rendered(&session);
    let picture = report.to_svg();
    assert!(!picture.contains('×'), "no lane has a scale of its own");
    // Noise of +18 dBFS: the mix lies above +12, and the axes with it.
    for text in [">+12<", "dBFS</text>"] {
        assert!(picture.contains(text), "{text}");
    }
    assert!(picture.contains("class=\"over-line\""));
    check(&[report]);
}

#[test]
fn an_index_of_several_reports_has_a_row_for_each() {
    let reports: Vec<Report> = (1..4).map(|n| rendered(&everything(n))).collect();
    let picture = report::svg_of(&reports);
    assert!(picture.contains("3 reports</text>"));
    check(&reports);
    let pages: Vec<(&Report, Option<&str>)> = reports.iter().map(|r| (r, None)).collect();
    let page = report::html_of(&pages);
    for number in 1..4 {
        assert!(
            page.contains(&format!("href=\"#report-{number}\"")),
            "{number}"
        );
        assert!(
            page.contains(&format!("id=\"report-{number}\"")),
            "{number}"
        );
    }
    assert!(!report::html_of(&pages[..1]).contains("class=\"index\""));
}

#[test]
fn automation_is_drawn_where_the_track_has_clips() {
    let mut session = Session::new(RATE, Layout::Mono);
    session.length = Some(Frames(96_000));
    let curve = Curve::new()
        .point(Frames(0), Decibels(-20.0), Shape::Linear)
        .point(Frames(96_000), Decibels(0.0), Shape::Linear);
    session.add_track(track("a", 1, -6.0, 24_000, 24_000).gain_curve(curve));
    let picture = rendered(&session).to_svg();
    let data = picture
        .split("class=\"automation\" d=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let xs: Vec<f64> = data
        .split(['M', 'L'])
        .filter_map(|point| point.split(' ').next()?.parse().ok())
        .collect();
    // The axis runs from 200 to 1160: a quarter and a half of the length are 440 and 680.
    assert_eq!((xs[0], *xs.last().unwrap()), (440.0, 680.0), "{data}");
}

#[test]
fn warnings_of_one_code_are_one_line() {
    let report = rendered(&everything(12));
    let mono = report
        .warnings
        .iter()
        .filter(|w| w.kind.code() == "W103")
        .count();
    assert_eq!(mono, 17, "twelve tracks and five of cues");
    let picture = report.to_svg();
    assert_eq!(picture.matches(">W103<").count(), 1);
    assert!(picture.contains("(and 16 more of W103)"));
    let page = report.to_html(None);
    assert!(page.contains("<summary>and 16 more</summary>"));
    assert!(
        page.contains("the 3 s from 01:00:"),
        "the window of the short-term maximum"
    );
}
