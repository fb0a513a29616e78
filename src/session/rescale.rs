//! Converts a session to another sample rate.

use super::{
    At, Clip, Excerpt, Insert, Marker, Session, Strip, Track, Use, exact_times::ExactTimes,
};
use crate::{
    curve::{Curve, Fade},
    units::{ExactFrames, Frames, SampleRate},
};

/// Converts frames of one rate to the nearest frames of another.
#[derive(Clone, Copy)]
pub(crate) struct Rescale {
    from: SampleRate,
    to: SampleRate,
}

impl Session {
    /// Returns the session at another sample rate: all positions and lengths keep their times. Exact times of a session file
    /// are converted before they are rounded; other times move by at most half a frame.
    #[must_use]
    pub(crate) fn at_rate(&self, rate: SampleRate) -> Self {
        let mut session = self.clone();
        if rate == self.rate {
            return session;
        }
        let scale = Rescale {
            from: self.rate,
            to: rate,
        };
        session.rate = rate;
        session.length = session.length.map(|length| scale.frames(length));
        scale.markers(&mut session.markers);
        scale.inserts(&mut session.master.inserts);
        scale.curve(&mut session.master.gain_curve);
        for bus in &mut session.buses {
            scale.strip(&mut bus.strip);
        }
        scale.tracks(&mut session.tracks);
        for cue in &mut session.cues {
            scale.markers(&mut cue.markers);
            scale.tracks(&mut cue.tracks);
            for placement in &mut cue.uses {
                scale.placement(placement);
            }
        }
        session
    }

    /// Returns the conversion from the rate of the session to another.
    pub(crate) fn rescale_to(&self, to: SampleRate) -> Rescale {
        Rescale {
            from: self.rate,
            to,
        }
    }
}

/// Converts the times of a clip or of a placement.
macro_rules! stretch {
    ($scale:ident, $stretch:ident) => {
        let exact = $scale.exact_times($stretch.exact);
        if let At::Frames(at) = &mut $stretch.at {
            *at = $scale.stated(*at, &$stretch.exact.at);
        }
        $stretch.from = $scale.stated($stretch.from, &$stretch.exact.from);
        $stretch.length = ($stretch.length).map(|n| $scale.stated(n, &$stretch.exact.length));
        $stretch.crossfade.length =
            $scale.stated($stretch.crossfade.length, &$stretch.exact.crossfade);
        $scale.fade(&mut $stretch.fade_in);
        $scale.fade(&mut $stretch.fade_out);
        $stretch.exact = exact;
    };
}

impl Rescale {
    /// Returns the frame nearest to the time of a frame.
    pub(crate) fn frames(self, frames: Frames) -> Frames {
        Frames(self.exact(frames.into()).nearest())
    }

    pub(crate) fn fade(self, fade: &mut Fade) {
        fade.length = self.frames(fade.length);
    }

    pub(crate) fn excerpt(self, excerpt: Excerpt) -> Excerpt {
        Excerpt {
            start: self.frames(excerpt.start),
            end: excerpt.end.map(|end| self.frames(end)),
        }
    }

    /// Converts an exact time.
    fn exact(self, exact: ExactFrames) -> ExactFrames {
        exact.converted(self.from.hz(), self.to.hz())
    }

    /// Converts a time that was rounded to `frames`, from its exact value where the file states one.
    fn stated(self, frames: Frames, stated: &Option<ExactFrames>) -> Frames {
        Frames(
            self.exact(super::exact_times::exact(frames, *stated))
                .nearest(),
        )
    }

    fn exact_times(self, exact: ExactTimes) -> ExactTimes {
        let convert = |time: Option<ExactFrames>| time.map(|time| self.exact(time));
        ExactTimes {
            at: convert(exact.at),
            from: convert(exact.from),
            length: convert(exact.length),
            crossfade: convert(exact.crossfade),
        }
    }

    fn curve<T>(self, curve: &mut Curve<T>) {
        for point in &mut curve.points {
            point.at = self.frames(point.at);
        }
    }

    fn inserts(self, inserts: &mut [Insert]) {
        for insert in inserts {
            insert.curves_mut().for_each(|curve| self.curve(curve));
        }
    }

    fn strip(self, strip: &mut Strip) {
        self.inserts(&mut strip.inserts);
        self.curve(&mut strip.gain_curve);
        self.curve(&mut strip.pan_curve);
    }

    fn tracks(self, tracks: &mut [Track]) {
        for track in tracks {
            self.strip(&mut track.strip);
            track.clips.iter_mut().for_each(|clip| self.clip(clip));
        }
    }

    fn clip(self, clip: &mut Clip) {
        stretch!(self, clip);
    }

    fn placement(self, placement: &mut Use) {
        stretch!(self, placement);
    }

    fn markers(self, markers: &mut [Marker]) {
        for marker in markers {
            marker.at = self.frames(marker.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        curve::Shape,
        layout::Layout,
        media::Input,
        session::{Bus, Cue},
        units::{Decibels, Pan},
    };

    #[test]
    fn every_time_of_a_session_is_kept() {
        let session = |n: u64, rate| {
            let gain = || Curve::new().point(Frames(7 * n), Decibels(-6.0), Shape::Linear);
            let pan = Curve::new().point(Frames(9 * n), Pan::LEFT, Shape::Linear);
            let fade = |frames: u64| Fade::linear(Frames(frames * n));
            let clip = |at: u64| {
                Clip::new(Input::file("a.wav"))
                    .at(Frames(at * n))
                    .from(Frames(11 * n))
                    .length(Frames(13 * n))
                    .fade_in(fade(2))
                    .fade_out(fade(3))
                    .crossfade(fade(4))
            };
            let track = || {
                Track::of("t")
                    .clip(clip(5))
                    .clip(clip(90))
                    .gain_curve(gain())
            };
            let mut session = Session::new(rate, Layout::Stereo);
            session.length = Some(Frames(1000 * n));
            session.master.gain_curve = gain();
            session.markers.push(Marker {
                at: Frames(17 * n),
                name: "m".into(),
            });
            session.add_bus(Bus::new("b").gain_curve(gain()).pan_curve(pan));
            session.add_track(track());
            let place = Use::at(Frames(100 * n))
                .from(Frames(3 * n))
                .fade_in(fade(5));
            let cue = Cue::new("c").track(track()).used(place);
            session.add_cue(cue.marker(Frames(19 * n), "k"));
            session
        };
        let mut slow = session(1, SampleRate::HZ_48000);
        let fast = session(2, SampleRate::HZ_96000);
        let read = |session: &Session| {
            let cue = &session.cues()[0];
            (
                (session.rate, session.length, session.markers.clone()),
                session.master.gain_curve.clone(),
                session.buses()[0].strip.clone(),
                session.tracks()[0].clone(),
                (cue.markers.clone(), cue.tracks.clone(), cue.uses.clone()),
            )
        };
        assert_eq!(read(&slow.at_rate(SampleRate::HZ_96000)), read(&fast));
        assert_eq!(read(&slow.at_rate(slow.rate)), read(&slow));
        slow.rate = SampleRate::HZ_96000;
        assert_eq!(
            read(&slow.at_rate(SampleRate::HZ_48000)).0.1,
            Some(Frames(500))
        );
        let scale = slow.rescale_to(SampleRate::HZ_48000);
        let half = scale.excerpt(Excerpt {
            start: Frames(8),
            end: Some(Frames(20)),
        });
        assert_eq!((half.start, half.end), (Frames(4), Some(Frames(10))));
    }

    #[test]
    fn an_exact_time_is_converted_before_it_is_rounded() {
        let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        let mut clip = Clip::new(Input::file("a.wav"))
            .at(Frames(1))
            .from(Frames(2));
        // 4/3 of a frame are 8/3 at twice the rate; `from` was set since, so its exact time is void.
        clip.exact.at = Some(ExactFrames::new(4, 3));
        clip.exact.from = Some(ExactFrames::new(4, 3));
        session.add_track(Track::of("t").clip(clip));
        let fast = session.at_rate(SampleRate::HZ_96000);
        let clip = &fast.tracks()[0].clips[0];
        assert_eq!((clip.at, clip.from), (At::Frames(Frames(3)), Frames(4)));
        assert_eq!(clip.exact.at, Some(ExactFrames::new(8, 3)));
    }
}
