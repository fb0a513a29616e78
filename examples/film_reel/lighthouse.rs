//! Builds the lighthouse reel in Rust; `lighthouse.toml` is the same session as a file.

use soundtrack::{
    Bus, Clip, Cue, Curve, Dbtp, Decibels, Deliverable, Fade, Format, FrameRate, Frames, Layout,
    LoudnessTarget, Lufs, Marker, NotATimecode, Pan, PanLaw, SampleRate, Session, Shape, Timecode,
    Track, Use, encode::Dither,
};
use std::path::Path;

/// Builds the session of the reel, with stems and outputs under a folder.
pub fn session(folder: &Path) -> Result<Session, NotATimecode> {
    let tc = |text: &str| Timecode::parse(text, FrameRate::FPS_24);
    let seconds = |s: u64| Frames(48_000 * s);
    let storm_file = |name: &str| Clip::new(folder.join("stems/1m1_storm").join(name));
    let file = |name: &str| folder.join(name);

    let mut film = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    film.title = "The Lighthouse Keeper - Reel 2".into();
    film.fps = Some(FrameRate::FPS_24);
    film.start = Some(tc("01:00:00:00")?);
    film.length = Some(seconds(390));
    film.lang = Some("en".into());
    film.pan_law = PanLaw::EqualPower;
    film.markers.push(Marker {
        at: seconds(20),
        name: "the boat".into(),
    });
    film.master.limit = Some(Dbtp(-2.0));
    film.master.dither = Some(Dither::default());

    let strings = film.add_bus(Bus::new("strings").gain(Decibels(-1.5)));
    let rhythm = film.add_bus(Bus::new("rhythm").gain(Decibels(-3.0)));
    let music = film.add_bus(Bus::new("music"));
    let dialogue = film.add_bus(Bus::new("dialogue"));
    let hall = film.add_bus(Bus::new("hall"));
    film.bus_mut(strings).strip.to = Some(music);
    film.bus_mut(rhythm).strip.to = Some(music);

    let speech = Clip::new(file("stems/dx_{lang}.wav")).at(tc("01:00:00:00")?);
    film.add_track(Track::of("dialogue").clip(speech).to(dialogue));

    let swell = Curve::new()
        .point(seconds(0), Decibels::SILENCE, Shape::Linear)
        .point(seconds(4), Decibels(0.0), Shape::Sine)
        .point(seconds(38), Decibels(0.0), Shape::Linear)
        .point(seconds(41), Decibels::SILENCE, Shape::Sine);
    let drift = Curve::new()
        .point(seconds(0), Pan(-0.4), Shape::Linear)
        .point(seconds(20), Pan(0.4), Shape::Linear);
    let piano = storm_file("piano_44k.wav")
        .fade_in(Fade::linear(Frames(2400)))
        .fade_out(Fade::linear(seconds(2)));
    let hit = storm_file("brass.wav")
        .named("hit")
        .at(seconds(8))
        .from(seconds(62))
        .length(seconds(2));
    let swelling = storm_file("brass.wav")
        .named("swell")
        .at(seconds(31))
        .from(seconds(130))
        .length(seconds(6));
    let storm = Cue::new("storm")
        .title("The Storm")
        .composer("A. Writer (PRS) 100%")
        .publisher("Some Music Ltd")
        .marker(seconds(8), "lightning")
        .marker(seconds(31), "Anna sees the boat")
        .track(
            Track::of("violins")
                .clip(storm_file("vlns.wav"))
                .to(strings)
                .gain(Decibels(-2.0))
                .pan(Pan(-0.3)),
        )
        .track(
            Track::of("celli")
                .clip(storm_file("celli.wav"))
                .to(strings)
                .pan(Pan(0.25)),
        )
        .track(
            Track::of("piano")
                .clip(piano)
                .to(music)
                .send(hall, Decibels(-12.0)),
        )
        .track(
            Track::of("taikos")
                .clip(storm_file("taikos.flac"))
                .to(rhythm)
                .gain(Decibels(-4.0))
                .gain_curve(swell)
                .pan_curve(drift),
        )
        .track(
            Track::of("brass")
                .clip(hit.fade_out(Fade::linear(Frames(9600))))
                .clip(swelling.loops(2))
                .to(music),
        )
        .used(Use::at(tc("01:00:12:08")?))
        .used(
            Use::at(tc("01:05:30:00")?)
                .named("reprise")
                .from(seconds(38))
                .length(seconds(20))
                .fade_in(Fade::linear(seconds(1)))
                .fade_out(Fade::linear(seconds(3)))
                .gain(Decibels(-6.0))
                .usage("BI"),
        );
    let storm = film.add_cue(storm);
    let titles = ["choir", "harp"]
        .into_iter()
        .fold(Cue::new("end_titles"), |cue, name| {
            let clip = Clip::new(
                folder
                    .join("stems/1m3_titles")
                    .join(name)
                    .with_extension("wav"),
            );
            cue.track(Track::of(name).clip(clip).to(music))
        });
    film.add_cue(titles.used(Use::at(tc("01:04:05:12")?)));

    let full = Deliverable::new("full", file("out/{title}.wav"))
        .format(Format::WAV_24)
        .lang("en");
    let full = full.loudness(
        LoudnessTarget::new(Lufs(-27.0))
            .tolerance(1.0)
            .true_peak(Dbtp(-2.0)),
    );
    let full = full.fit(true);
    let celli = film.part("cue.storm.celli").ok();
    let mut m_and_e = Deliverable::new("music-and-effects", file("out/{title} M&E.wav"))
        .mute(dialogue)
        .gain_of("full");
    m_and_e.mute.extend(celli);
    let stems = Deliverable::new("stems", file("out/{title} {bus}.wav"))
        .stems([music, dialogue])
        .gain_of("full");
    let album = LoudnessTarget::new(Lufs(-14.0)).true_peak(Dbtp(-1.0));
    let album = Deliverable::new("album", file("out/album/{nn} {cue}.wav"))
        .album(true)
        .loudness(album);
    film.deliverables = vec![full, m_and_e, stems, album];
    debug_assert_eq!(film.cue_mut(storm).uses.len(), 2);
    Ok(film)
}
