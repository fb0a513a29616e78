//! Converts beats to seconds: at one tempo, or at tempos that change in steps.

use super::super::ratio::Ratio;

/// Unit of the times of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeUnit {
    Beats,
    Seconds,
}

/// Tempos from a beat on. The first holds from the start.
#[derive(Debug)]
pub(super) struct TempoMap {
    /// Beat, second, and seconds per beat.
    steps: Vec<(Ratio, Ratio, Ratio)>,
}

impl TempoMap {
    /// Returns the map of one tempo in beats per minute; `None` for 0.
    pub(super) fn constant(bpm: Ratio) -> Option<Self> {
        Some(Self {
            steps: vec![(Ratio::ZERO, Ratio::ZERO, beat(bpm)?)],
        })
    }

    /// Adds a change of tempo. `None` where it is not after the others, or the tempo is 0.
    pub(super) fn change(&mut self, at: Ratio, unit: TimeUnit, bpm: Ratio) -> Option<()> {
        let (beats, seconds) = match unit {
            TimeUnit::Beats => (at, self.seconds(at)?),
            TimeUnit::Seconds => (self.beats(at)?, at),
        };
        let last = self.steps.last()?;
        if beats < last.0 {
            return None;
        }
        if beats == last.0 {
            self.steps.pop();
        }
        self.steps.push((beats, seconds, beat(bpm)?));
        Some(())
    }

    /// Reports whether the tempo never changes.
    pub(super) fn is_constant(&self) -> bool {
        self.steps.len() == 1
    }

    /// Returns the second of a beat; `None` where it cannot be computed exactly.
    pub(super) fn seconds(&self, beats: Ratio) -> Option<Ratio> {
        let at = self.steps.partition_point(|(from, ..)| *from <= beats);
        let (from, second, per_beat) = self.steps.get(at.saturating_sub(1))?;
        second.plus(beats.minus(*from)?.times(*per_beat)?)
    }

    /// Returns the beat of a second.
    pub(super) fn beats(&self, seconds: Ratio) -> Option<Ratio> {
        let at = self.steps.partition_point(|(_, from, _)| *from <= seconds);
        let (beat, from, per_beat) = self.steps.get(at.saturating_sub(1))?;
        beat.plus(seconds.minus(*from)?.over(*per_beat)?)
    }

    /// Converts a time between units.
    pub(super) fn convert(&self, time: Ratio, from: TimeUnit, to: TimeUnit) -> Option<Ratio> {
        match (from, to) {
            (TimeUnit::Beats, TimeUnit::Seconds) => self.seconds(time),
            (TimeUnit::Seconds, TimeUnit::Beats) => self.beats(time),
            _ => Some(time),
        }
    }
}

/// Returns the seconds of a beat.
fn beat(bpm: Ratio) -> Option<Ratio> {
    if bpm.is_negative() || bpm.is_zero() {
        return None;
    }
    Ratio::new(60, 1)?.over(bpm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_tempo_add_up_exactly() {
        let ratio = |text: &str| Ratio::parse(text).unwrap();
        let mut map = TempoMap::constant(ratio("120")).unwrap();
        map.change(ratio("8"), TimeUnit::Beats, ratio("90"))
            .unwrap();
        map.change(ratio("20"), TimeUnit::Seconds, ratio("60"))
            .unwrap();
        // 8 beats at 120 are 4 s; 16 s at 90 are 24 beats.
        for (beats, seconds) in [("4", "2"), ("8", "4"), ("32", "20"), ("33", "21")] {
            assert_eq!(map.seconds(ratio(beats)), Some(ratio(seconds)));
            assert_eq!(map.beats(ratio(seconds)), Some(ratio(beats)));
        }
        assert_eq!(map.seconds(ratio("9")), Ratio::new(14, 3));
        assert!(
            map.change(ratio("1"), TimeUnit::Beats, ratio("60"))
                .is_none()
        );
        assert!(TempoMap::constant(Ratio::ZERO).is_none());
    }
}
