//! The same numbers as the crate `ebur128`, an independent meter, on random material.

use ebur128::{Channel, EbuR128, Mode};
use soundtrack::Layout;
use soundtrack_test_support::signals::{measured, spec, uniform};

#[test]
fn agrees_with_another_meter() {
    let maps: [(Layout, &[Channel]); 3] = [
        (Layout::Mono, &[Channel::Center]),
        (Layout::Stereo, &[Channel::Left, Channel::Right]),
        (
            Layout::Surround51,
            &[
                Channel::Left,
                Channel::Right,
                Channel::Center,
                Channel::Unused,
                Channel::LeftSurround,
                Channel::RightSurround,
            ],
        ),
    ];
    for rate in [44_100u32, 48_000, 96_000] {
        for (layout, map) in maps {
            let mut random = u64::from(rate);
            let frames = 12 * rate as usize;
            // Loud and soft by turns, so that the gates have something to do.
            let level = |n: usize| 10f64.powf(-((n / (rate as usize * 2)) as f64 * 5.0) / 20.0);
            let mut held = 0.0;
            let mut channel = |_| -> Vec<f64> {
                let mut sample = |n| {
                    held = 0.9 * held + 0.1 * uniform(&mut random);
                    held * level(n)
                };
                (0..frames).map(&mut sample).collect()
            };
            let channels: Vec<Vec<f64>> = (0..layout.channels()).map(&mut channel).collect();
            let ours = measured(spec(rate, layout), &channels, 4096);
            let mut meter = EbuR128::new(
                map.len() as u32,
                rate,
                Mode::I | Mode::TRUE_PEAK | Mode::M | Mode::S,
            )
            .unwrap();
            meter.set_channel_map(map).unwrap();
            let slices: Vec<&[f64]> = channels.iter().map(Vec::as_slice).collect();
            meter.add_frames_planar_f64(&slices).unwrap();
            // That meter leaves the numerator of the high-pass as it is at 48 kHz, and so reads more at 44.1 and less at 96.
            let scale: f64 = match rate {
                44_100 => 0.999_560_065,
                96_000 => 1.002_492_789,
                _ => 1.0,
            };
            let less = 20.0 * scale.log10();
            let pairs = [
                (
                    "integrated",
                    ours.integrated.unwrap().0,
                    meter.loudness_global().unwrap(),
                    0.002,
                ),
                (
                    "momentary",
                    f64::from(*ours.curves.momentary.last().unwrap()),
                    meter.loudness_momentary().unwrap(),
                    0.002,
                ),
                (
                    "short-term",
                    f64::from(*ours.curves.short_term.last().unwrap()),
                    meter.loudness_shortterm().unwrap(),
                    0.002,
                ),
            ];
            for (name, ours, theirs, most) in pairs {
                assert!(
                    (ours - theirs - less).abs() < most,
                    "{name} at {rate} Hz {layout}: {ours} and {theirs}"
                );
            }
            let peak = (0..map.len() as u32)
                .map(|ch| meter.true_peak(ch).unwrap())
                .fold(0.0, f64::max);
            let (ours, theirs) = (ours.true_peak.unwrap().level.0, 20.0 * peak.log10());
            assert!(
                (-0.05..0.3).contains(&(ours - theirs)),
                "true peak at {rate} Hz {layout}: {ours} and {theirs}"
            );
        }
    }
}
