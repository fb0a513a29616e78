//! Samples that are no numbers, no levels, or hardly anything at all.

use super::{
    super::table::{Row, Seen, held, times},
    stems::{heard, mix, named, said, same, wav32f},
};
use soundtrack::{Bounce, Damage, Layout, Options, Plan, Renderer, SampleRate, Session, Track};
use std::path::Path;

pub const ROWS: &[Row] = &[
    Row {
        section: "inputs",
        fault: "NaN, infinity, 1e38 in a float WAV",
        run: no_number,
    },
    Row {
        section: "inputs",
        fault: "float samples of 10,000",
        run: over,
    },
    Row {
        section: "inputs",
        fault: "denormal numbers, 32 stems",
        run: denormal,
    },
];

/// Values that replace a sample.
const BAD: [f32; 7] = [
    f32::NAN,
    f32::from_bits(0x7F80_0001),
    f32::from_bits(0xFFC0_1234),
    f32::INFINITY,
    f32::NEG_INFINITY,
    1e38,
    -f32::MAX,
];

fn no_number() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vox.wav");
    let good: Vec<f32> = (0..44_100)
        .map(|n| (n as f32 * 0.03).sin() * 0.25)
        .collect();
    // Two hops of the resampler: a frame lies in the windows of at most two.
    const HOPS: usize = 2 * 8000;
    let (mut count, mut widest) = (0, 0);
    for place in (0..44_100).step_by(times(4_999, 499) as usize) {
        let mut samples = good.clone();
        samples[place] = 0.0;
        wav32f(&path, 44_100, &samples);
        let mut silent = mix(path.as_path(), Damage::Silence);
        let want = heard(&silent).unwrap().1;
        silent.rate = SampleRate::HZ_48000;
        let resampled = heard(&silent).unwrap().1;
        wav32f(&path, 44_100, &good);
        let untouched = heard(&silent).unwrap().1;
        for bad in BAD {
            count += 1;
            samples[place] = bad;
            wav32f(&path, 44_100, &samples);
            let e = heard(&mix(path.as_path(), Damage::Refuse)).unwrap_err();
            named(&e, &path);
            assert!(e.to_string().ends_with(&format!("(frame {place})")), "{e}");
            let mut lenient = mix(path.as_path(), Damage::Silence);
            let (report, got) = heard(&lenient).unwrap();
            assert!(same(&got, &want), "{bad} at {place}");
            let silenced = &report.tracks[0].clips[0].silenced[0];
            assert_eq!((silenced.places, silenced.frames), (1, 1));
            assert!((silenced.first[0].at_s - place as f64 / 44_100.0).abs() < 1e-9);
            assert!(said(&report, &["W117"]));
            // Resampled: as if it had been 0, and nothing is moved beyond the block that it is in and the next.
            lenient.rate = SampleRate::HZ_48000;
            let got = heard(&lenient).unwrap().1;
            assert!(
                same(&got, &resampled) && got.iter().flatten().all(|s| s.is_finite()),
                "{bad} at {place}"
            );
            let touched = |i: &usize| got[0][*i].to_bits() != untouched[0][*i].to_bits();
            let (first, last) = ((0..48_000).find(touched), (0..48_000).rev().find(touched));
            let wide = first.zip(last).map_or(0, |(first, last)| last - first + 1);
            assert!(wide <= HOPS, "{wide}");
            widest = widest.max(wide);
        }
    }
    let result = format!(
        "strict: refused with the frame; lenient: that sample 0, counted, first place reported; resampled: at most {widest} \
         frames touched, 0 not finite"
    );
    held(count, result)
}

fn over() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vox.wav");
    let loud: Vec<f32> = (0..44_100)
        .map(|n| (n as f32 * 0.03).sin() * 10_000.0)
        .collect();
    wav32f(&path, 44_100, &loud);
    let mut session = mix(path.as_path(), Damage::Refuse);
    session.layout = Layout::Mono;
    let (report, got) = heard(&session).unwrap();
    assert!(
        got[0].iter().zip(&loud).all(|(a, b)| *a == f64::from(*b)),
        "float passes exactly"
    );
    assert!(said(&report, &["W116"]));
    let plan = Plan::compile(&session).unwrap();
    let out = folder.path().join("out.wav");
    let report = Bounce::new().threads(1).write(plan, &out).unwrap();
    // Full scale itself is the first that does not fit a 24-bit file.
    let clips = loud
        .iter()
        .filter(|s| f64::from(**s) > 1.0 - 0.5 / 8_388_608.0 || **s < -1.0 - 0.5 / 8_388_608.0);
    let clips = clips.count() as u64;
    assert_eq!(report.mix.clipped_samples, clips);
    let wrapped = hound::WavReader::open(&out)
        .unwrap()
        .into_samples::<i32>()
        .zip(&loud)
        .filter(|(got, want)| {
            let got = *got.as_ref().unwrap();
            (got > 0 && **want < 0.0) || (got < 0 && **want > 0.0)
        });
    assert_eq!(wrapped.count(), 0);
    let peak = report.mix.peak_dbfs.unwrap();
    assert!((peak - 80.0).abs() < 0.01, "{peak}");
    held(
        44_100,
        format!(
            "float exact; 24 bits: {clips} clipped and counted, 0 wrapped; peak {peak:+.2} dBFS"
        ),
    )
}

fn denormal() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let seconds = times(10, 600) as usize;
    let file = |name: &str, level: f32| {
        let path = folder.path().join(name);
        let samples: Vec<f32> = (0..44_100 * seconds)
            .map(|n| if n % 3 == 0 { level } else { -level })
            .collect();
        wav32f(&path, 44_100, &samples);
        path
    };
    let session = |path: &Path, rate: SampleRate| {
        let mut session = Session::new(rate, Layout::Stereo);
        (0..32).for_each(|i| {
            session.add_track(Track::new(format!("t{i}"), path));
        });
        session
    };
    // The largest sample and how long it took, the best of a few.
    let render = |path: &Path, rate| {
        let rounds = (0..times(3, 1)).map(|_| {
            let plan = Plan::compile(&session(path, rate)).unwrap();
            let mut renderer = Renderer::new(plan, &Options { threads: 1 }).unwrap();
            let mut peak = Peak(0.0);
            let before = busy();
            Bounce::new()
                .threads(1)
                .measure(false)
                .into_sink(&mut renderer, &mut peak)
                .unwrap();
            (peak.0, busy() - before)
        });
        rounds.reduce(|a, b| (a.0.max(b.0), a.1.min(b.1))).unwrap()
    };
    let (normal, tiny) = (file("normal.wav", 0.1), file("tiny.wav", 1e-40));
    let mut ratios = Vec::new();
    for rate in [SampleRate::HZ_44100, SampleRate::HZ_48000] {
        let ((_, before), (peak, after)) = (render(&normal, rate), render(&tiny, rate));
        assert!(peak > 0.0 && peak < 1e-30, "{peak:e}");
        ratios.push(format!(
            "{:.2} ({before:.2} s and {after:.2} s)",
            after / before
        ));
    }
    held(
        32 * seconds as u64 * 44_100,
        format!(
            "output within 1e-30; CPU time to normal: {}, resampled {}",
            ratios[0], ratios[1]
        ),
    )
}

/// Returns the processor time of this thread in seconds, or the time of day if the system does not report it.
fn busy() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = schedstat
        .and_then(|t| t.split(' ').next()?.parse::<f64>().ok())
        .filter(|n| *n > 0.0);
    let since_start = || {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs_f64()
    };
    nanos.map_or_else(since_start, |n| n / 1e9)
}

/// Keeps the largest sample.
struct Peak(f64);

impl soundtrack::Sink for Peak {
    fn write(&mut self, block: &soundtrack::Block) -> soundtrack::Result<()> {
        self.0 = block
            .channels()
            .flatten()
            .fold(self.0, |m, s| m.max(s.abs()));
        Ok(())
    }
    fn finish(&mut self) -> soundtrack::Result<soundtrack::encode::Written> {
        Ok(soundtrack::encode::Written::default())
    }
}
