//! Random sessions: tracks of several clips, rates and layouts, automation, fades, loops, buses, sends, mute and solo.

use super::renders::stem;
use proptest::prelude::*;
use soundtrack::{
    Bus, Clip, Curve, Decibels, Fade, FadeShape, Frames, Layout, Pan, PanLaw, SampleRate, Session,
    Shape, Track,
};

const LAYOUTS: [Layout; 6] = [
    Layout::Mono,
    Layout::Stereo,
    Layout::Lcr,
    Layout::Quad,
    Layout::Surround51,
    Layout::Surround71,
];
const LAWS: [PanLaw; 4] = [
    PanLaw::EqualPower,
    PanLaw::Linear,
    PanLaw::Balance,
    PanLaw::Between,
];

fn layout() -> impl Strategy<Value = Layout> {
    prop::sample::select(&LAYOUTS[..])
}

fn decibels() -> impl Strategy<Value = Decibels> {
    prop_oneof![4 => (-40.0..6.0).prop_map(Decibels), 2 => Just(Decibels::UNITY), 1 => Just(Decibels::SILENCE)]
}

fn shape() -> impl Strategy<Value = Shape> {
    prop::sample::select(&[Shape::Linear, Shape::Sine, Shape::Exp, Shape::Step][..])
}

fn fade() -> impl Strategy<Value = Fade> {
    let shapes = [
        FadeShape::Linear,
        FadeShape::EqualPower,
        FadeShape::Between,
        FadeShape::RaisedCosine,
        FadeShape::SquareRoot,
        FadeShape::DecibelLinear(60.0),
    ];
    (0u64..300, prop::sample::select(shapes.to_vec())).prop_map(|(n, shape)| Fade {
        length: Frames(n),
        shape,
    })
}

fn curve<T: Copy + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Curve<T>> {
    prop::collection::vec((0u64..6000, value, shape()), 0..4).prop_map(|mut points| {
        points.sort_by_key(|p| p.0);
        points
            .into_iter()
            .fold(Curve::new(), |c, (at, value, shape)| {
                c.point(Frames(at), value, shape)
            })
    })
}

prop_compose! {
    /// A clip whose stretch lies inside its stem, at any of some rates; the session runs at 48 kHz.
    fn clip()(
        seed in any::<u64>(),
        rate in prop::sample::select(&[48_000u32, 48_000, 44_100, 96_000, 32_000][..]),
        layout in layout(),
        frames in 400usize..5000,
        cut in (0.0f64..0.5, 0.1f64..0.5),
        at in 0u64..4000,
        loops in prop_oneof![3 => Just(1u32), 1 => 2u32..4],
        fades in (fade(), fade()),
        gain in decibels(),
        whole in any::<bool>(),
    ) -> Clip {
        let own = SampleRate::new(rate).unwrap();
        let total = Frames(frames as u64).resampled(own, SampleRate::HZ_48000).0;
        let clip = Clip::new(stem(seed, rate, layout, frames)).at(Frames(at)).gain(gain).loops(loops);
        let (from, len) = ((cut.0 * total as f64) as u64, (cut.1 * total as f64).max(1.0) as u64);
        let (clip, sounds) = if whole { (clip, total) } else { (clip.from(Frames(from)).length(Frames(len)), len) };
        let short = |f: Fade| Fade { length: f.length.min(Frames(sounds * u64::from(loops))), ..f };
        clip.fade_in(short(fades.0)).fade_out(short(fades.1))
    }
}

prop_compose! {
    fn track()(
        clips in prop::collection::vec(clip(), 1..4),
        gain in decibels(),
        pan in -1.0f64..=1.0,
        gain_curve in curve(decibels()),
        pan_curve in curve((-1.0f64..=1.0).prop_map(Pan)),
        switches in prop::array::uniform3(prop::bool::weighted(0.15)),
        to in 0usize..4,
        send in prop::option::weighted(0.3, (0usize..3, decibels())),
    ) -> (Track, usize, Option<(usize, Decibels)>) {
        let track = clips.into_iter().fold(Track::of(""), Track::clip);
        let track = track.gain(gain).pan(Pan(pan)).gain_curve(gain_curve).pan_curve(pan_curve);
        let [mute, solo, invert] = switches;
        (track.mute(mute).solo(solo).invert(invert), to, send)
    }
}

prop_compose! {
    /// One to five tracks, three buses in a chain or side by side.
    pub fn session()(
        layout in layout(),
        law in prop::sample::select(&LAWS[..]),
        tracks in prop::collection::vec(track(), 1..6),
        buses in prop::collection::vec((decibels(), -1.0f64..=1.0, any::<bool>(), prop::bool::weighted(0.1)), 3),
        master in curve(decibels()),
    ) -> Session {
        let mut session = Session::new(SampleRate::HZ_48000, layout);
        session.pan_law = law;
        session.master.gain_curve = master;
        let mut ids = Vec::new();
        for (i, (gain, pan, chained, solo)) in buses.into_iter().enumerate() {
            let bus = Bus::new(format!("bus{i}")).gain(gain).pan(Pan(pan)).solo(solo);
            // A bus may go to the one added before it.
            let bus = if let (true, Some(&before)) = (chained, ids.last()) { bus.to(before) } else { bus };
            ids.push(session.add_bus(bus));
        }
        for (i, (mut track, to, send)) in tracks.into_iter().enumerate() {
            track.strip.name = format!("track{i}");
            track = ids.get(to).map_or(track.clone(), |bus| track.to(*bus));
            track = send.map_or(track.clone(), |(bus, gain)| track.send(ids[bus], gain));
            session.add_track(track);
        }
        session
    }
}
