//! scratch
#[expect(dead_code)]
#[path = "mixdown/demo/encode.rs"]
mod encode;
#[path = "mixdown/demo/aiff.rs"]
mod aiff;
#[path = "mixdown/demo/caf.rs"]
mod caf;
#[path = "mixdown/demo/musical.rs"]
mod musical;
use soundtrack::*;
use std::time::Instant;
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let _ = s;
    let t = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = t.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}
fn main() {
    let dir = std::path::Path::new("/tmp/cost");
    std::fs::create_dir_all(dir).unwrap();
    for i in 0..16u64 {
        let p = dir.join(format!("{i}.wav"));
        if !p.exists() {
            let take =
                musical::musical(i, 48_000, 240 * 48_000).map(|c| c.into_iter().map(|x| x / 16.0).collect::<Vec<_>>());
            encode::write(&p, encode::Format::Wav(24), 48_000, &take).unwrap();
        }
    }
    let mut s = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    for i in 0..16 {
        s.add_track(Track::new(format!("{i}"), dir.join(format!("{i}.wav"))).gain(Decibels(-1.0)));
    }
    let threads: usize = std::env::args().nth(1).map_or(0, |a| a.parse().unwrap());
    let mut best = [[1e9f64; 2]; 2];
    for _ in 0..9 {
        for (k, on) in [false, true].into_iter().enumerate() {
            let b = Bounce::new().overwrite(true).threads(threads);
            let b = if on { b.overview(2000) } else { b };
            let (w, c) = (Instant::now(), cpu());
            b.run(&s, dir.join("mix.wav")).unwrap();
            best[k][0] = best[k][0].min(w.elapsed().as_secs_f64());
            best[k][1] = best[k][1].min(cpu() - c);
        }
    }
    println!(
        "{threads} threads: off wall {:.3} cpu {:.2}   on wall {:.3} cpu {:.2}",
        best[0][0], best[0][1], best[1][0], best[1][1]
    );
}
