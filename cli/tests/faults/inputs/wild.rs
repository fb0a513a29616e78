//! Sources of the program that break every promise: panics in every method, also when dropped, no frames for ever, one frame
//! at a time, absurd levels. The program lives, the error names the stem, and other renders go on.

use super::{
    super::table::{Row, Seen, held, times},
    stems::{self, heard, heard_on, mix, named, said, same},
};
use soundtrack::{
    Block, Clip, Damage, Error, Frames, Layout, Opener, PlayerBuilder, Result, SampleRate, Session,
    Source, Spec, State, Track,
};
use std::{
    panic,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

pub const ROWS: &[Row] = &[
    Row {
        section: "inputs",
        fault: "decoder panics, in any call and when dropped",
        run: panics,
    },
    Row {
        section: "inputs",
        fault: "decoder never ends, or gives a frame at a time",
        run: endless,
    },
    Row {
        section: "inputs",
        fault: "packets without audio, a million of them",
        run: empty_packets,
    },
    Row {
        section: "inputs",
        fault: "decoder blows up for one packet",
        run: blows_up,
    },
];

const FRAMES: u64 = 30_000;
const PACKET: u64 = 1_000;
const SPEC: Spec = Spec {
    rate: SampleRate::HZ_44100,
    layout: Layout::Mono,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wild {
    Tame,
    Open,
    SpecCall,
    Length,
    Read(u64),
    /// In a seek, which only a clip that is read from elsewhere asks for.
    Seek,
    Flaws,
    Drop,
    /// Only once it has been read.
    DropLate,
    ReadAndDrop(u64),
    SpecAndDrop,
    /// Ends after so many packets, again and again.
    Nothing(u64),
    /// Does not know its length either.
    NothingOfUnknownLength(u64),
    OneFrame,
    /// One packet of this value.
    Value(u64, f64),
}
use Wild::{
    Drop, DropLate, Flaws, Length, Nothing, NothingOfUnknownLength, OneFrame, Open, Read,
    ReadAndDrop, Seek, SpecAndDrop, SpecCall, Tame, Value,
};

struct Codec {
    wild: Wild,
    at: u64,
}

impl Codec {
    fn opener(wild: Wild) -> Opener {
        Opener::new("vox.wild", move || {
            injected(wild == Open);
            Ok(Box::new(Self { wild, at: 0 }))
        })
    }
}

/// Panics with a message that is not printed.
fn injected(panics: bool) {
    if panics {
        panic!("injected");
    }
}

/// Keeps panics that are meant out of the output.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&"injected") {
                print(info);
            }
        }));
    });
}

fn sample(frame: u64) -> f64 {
    (frame as f64 * 0.05).sin() * 0.25
}

impl Source for Codec {
    fn spec(&self) -> Spec {
        injected(matches!(self.wild, SpecCall | SpecAndDrop));
        SPEC
    }

    fn length(&self) -> Option<Frames> {
        injected(self.wild == Length);
        (!matches!(self.wild, NothingOfUnknownLength(_))).then_some(Frames(FRAMES))
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let packet = self.at / PACKET;
        match self.wild {
            Read(n) | ReadAndDrop(n) => injected(packet >= n),
            Nothing(n) | NothingOfUnknownLength(n) if packet >= n => return Ok(0),
            _ => {}
        }
        let most = if self.wild == OneFrame {
            1
        } else {
            PACKET - self.at % PACKET
        };
        let n = (FRAMES - self.at).min(most).min(out.capacity() as u64);
        out.set_frames(n as usize);
        for (i, s) in out.channel_mut(0).iter_mut().enumerate() {
            *s = match self.wild {
                Value(bad, value) if bad == packet => value,
                _ => sample(self.at + i as u64),
            };
        }
        self.at += n;
        Ok(n as usize)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        injected(self.wild == Seek);
        self.at = to.0.min(FRAMES);
        Ok(())
    }

    fn flaws(&mut self) -> Vec<soundtrack::media::Flaw> {
        injected(self.wild == Flaws && self.at > PACKET);
        Vec::new()
    }
}

impl std::ops::Drop for Codec {
    fn drop(&mut self) {
        injected(match self.wild {
            Drop | ReadAndDrop(_) | SpecAndDrop => true,
            DropLate => self.at > 0,
            _ => false,
        });
    }
}

/// Returns a session of a faulty and a sound stem, so that the error must name the right one.
fn session(wild: Wild) -> Session {
    let mut session = mix(Codec::opener(wild), Damage::Refuse);
    if wild == Seek {
        session.tracks_mut()[0].clips[0].from = Frames(10);
    }
    session.add_track(Track::new("bass", stems::noise(3, FRAMES as usize)));
    session
}

fn panics() -> Seen {
    quiet();
    let want = heard(&session(Tame)).unwrap().1;
    let other = |seed| mix(stems::noise(seed, 20_000), Damage::Refuse);
    let (stop, rendered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    // Another render of the same process, over and over.
    let neighbour = {
        let (stop, rendered) = (stop.clone(), rendered.clone());
        std::thread::spawn(move || {
            let first = heard_on(&other(9), 2).unwrap().1;
            while !stop.load(SeqCst) {
                assert!(
                    same(&heard_on(&other(9), 2).unwrap().1, &first),
                    "a render beside was changed"
                );
                rendered.fetch_add(1, SeqCst);
            }
        })
    };
    let mut count = 0;
    for round in 0..times(4, 100) {
        for threads in [1, 2, 8] {
            let at = round * 7 % 30;
            for wild in [
                Open,
                SpecCall,
                Length,
                Read(at),
                Seek,
                Flaws,
                Drop,
                ReadAndDrop(at),
                SpecAndDrop,
            ] {
                count += 1;
                let e = heard_on(&session(wild), threads)
                    .err()
                    .unwrap_or_else(|| panic!("{wild:?} is not reported"));
                assert_eq!(
                    e.to_string(),
                    "track \"vox\": vox.wild: its reader failed: injected",
                    "{wild:?}"
                );
            }
            // All of its audio was given before: nothing is lost, and nothing is refused.
            count += 1;
            assert!(same(
                &heard_on(&session(DropLate), threads).unwrap().1,
                &want
            ));
            // Played, by threads that read ahead.
            count += 5;
            for wild in [Read(at), Seek, Flaws, ReadAndDrop(at)] {
                let player =
                    PlayerBuilder::new().into_sink(&session(wild), Box::new(stems::Nowhere));
                let played = player.and_then(|player| {
                    assert_eq!(
                        player.wait(Duration::from_secs(20)),
                        State::Failed,
                        "{wild:?}"
                    );
                    player.fault().map_or(Ok(()), |fault| {
                        Err(Error::new(fault.kind(), fault.to_string()))
                    })
                });
                assert_eq!(
                    played.unwrap_err().to_string(),
                    "track \"vox\": vox.wild: its reader failed: injected",
                    "{wild:?}"
                );
            }
            let player = PlayerBuilder::new()
                .into_sink(&session(DropLate), Box::new(stems::Nowhere))
                .unwrap();
            assert_eq!(player.wait(Duration::from_secs(20)), State::Ended);
            // A resampled one passes through other hands.
            let mut resampled = session(ReadAndDrop(at));
            resampled.rate = SampleRate::HZ_48000;
            count += 1;
            let e = heard_on(&resampled, threads).unwrap_err();
            assert_eq!(
                e.to_string(),
                "track \"vox\": vox.wild: its reader failed: injected"
            );
        }
    }
    stop.store(true, SeqCst);
    neighbour.join().unwrap();
    let beside = rendered.load(SeqCst);
    assert!(beside > 0);
    held(
        count,
        format!(
            "0 panics reach the caller; the stem is named; {beside} renders beside it bit-equal"
        ),
    )
}

fn endless() -> Seen {
    quiet();
    let want = heard(&session(Tame)).unwrap().1;
    let mut count = 0;
    let mut slowest = 0.0f64;
    let mut timed = |session: &Session| {
        let clock = Instant::now();
        let got = heard(session);
        slowest = slowest.max(clock.elapsed().as_secs_f64());
        count += 1;
        got
    };
    for n in 0..times(10, 29) {
        let (at, left) = (n * PACKET, FRAMES - n * PACKET);
        let e = timed(&session(Nothing(n))).unwrap_err();
        named(&e, "vox.wild".as_ref());
        assert!(
            e.to_string()
                .ends_with(&format!("{left} frames too early: 30000 were promised")),
            "{e}"
        );
        let mut lenient = session(Nothing(n));
        lenient.damage = Damage::Silence;
        let (report, _) = timed(&lenient).unwrap();
        assert_eq!(report.tracks[0].clips[0].silenced[0].frames, left);
        // One that does not know its length, in a clip that does.
        let mut unknown = session(NothingOfUnknownLength(n));
        assert!(
            timed(&unknown)
                .unwrap_err()
                .to_string()
                .contains("its length is not known")
        );
        unknown.tracks_mut()[0].clips =
            vec![Clip::new(Codec::opener(NothingOfUnknownLength(n))).length(Frames(FRAMES))];
        let e = timed(&unknown).unwrap_err();
        assert!(
            e.to_string()
                .ends_with(&format!("vox.wild: ends at frame {at}, before it should")),
            "{e}"
        );
    }
    assert!(same(&timed(&session(OneFrame)).unwrap().1, &want));
    assert!(slowest < 5.0, "{slowest} s");
    held(
        count,
        format!(
            "an error at its frame, slowest {:.0} ms; one frame a call: bit-equal",
            slowest * 1e3
        ),
    )
}

/// Returns the checksum of an Ogg page.
fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0u32, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 24), |c, _| {
            if c >> 31 == 1 {
                (c << 1) ^ 0x04C1_1DB7
            } else {
                c << 1
            }
        })
    })
}

/// Injects pages with right checksums and empty packets after the first pages of a real stem.
fn empty_packets() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let Some(stem) = stems::all(folder.path())
        .into_iter()
        .find(|s| s.codec == "Vorbis")
    else {
        return crate::table::missing("ffmpeg, to make an Ogg file, is not installed");
    };
    let pages: Vec<usize> = stem
        .bytes
        .windows(4)
        .enumerate()
        .filter(|(_, w)| w == b"OggS")
        .map(|(i, _)| i)
        .collect();
    let mut bytes = stem.bytes[..pages[3]].to_vec();
    let mut page = stem.bytes[pages[2]..pages[2] + 26].to_vec();
    page.push(255);
    page.extend([0; 255]);
    let number = u32::from_le_bytes(page[18..22].try_into().unwrap());
    let packets = times(1_000_000, 10_000_000);
    for i in 0..(packets / 255) as u32 {
        page[5] = 0;
        // Each claims some audio.
        page[6..14].copy_from_slice(&(8_896 + 64 * u64::from(i)).to_le_bytes());
        page[18..22].copy_from_slice(&(number + 1 + i).to_le_bytes());
        page[22..26].fill(0);
        let sum = checksum(&page);
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        bytes.extend(&page);
    }
    let path = stem.with("empty", &bytes);
    let mut slowest = 0.0f64;
    let mut ends = Vec::new();
    for damage in [Damage::Refuse, Damage::Silence] {
        let clock = Instant::now();
        ends.push(match heard(&mix(path.as_path(), damage)) {
            Err(e) => {
                named(&e, &path);
                e.to_string().rsplit(": ").next().unwrap().to_owned()
            }
            Ok((report, _)) => {
                assert!(
                    said(&report, &["W113", "W115", "W122"]) || damage == Damage::Refuse,
                    "{} frames {:?}",
                    report.frames,
                    report.warnings
                );
                format!("{} frames", report.frames)
            }
        });
        slowest = slowest.max(clock.elapsed().as_secs_f64());
    }
    assert!(slowest < 5.0, "{slowest} s: {ends:?}");
    held(
        packets,
        format!(
            "strict: {}; lenient: {}; slowest {slowest:.2} s",
            ends[0], ends[1]
        ),
    )
}

fn blows_up() -> Seen {
    let mut count = 0;
    let tame = heard(&session(Tame)).unwrap().1;
    for packet in 0..times(10, 30) {
        count += 3;
        // +40 dBFS, whatever the strip makes of it.
        let (report, got) = heard(&session(Value(packet, 100.0))).unwrap();
        let said: Vec<String> = report.warnings.iter().map(ToString::to_string).collect();
        let want = "W116 track \"vox\": its stem peaks at +40.0 dBFS, far above the level of normal recordings";
        assert!(said.iter().any(|w| w == want), "{said:?}");
        let at = packet as usize * 1000..packet as usize * 1000 + 1000;
        let outside = |x: &[Vec<f64>]| {
            x.iter()
                .map(|c| [&c[..at.start], &c[at.end..]].concat())
                .collect::<Vec<_>>()
        };
        assert!(same(&outside(&got), &outside(&tame)));
        assert!(
            at.clone()
                .all(|i| (got[0][i] - 100.0 * 0.5f64.sqrt()).abs() < 0.6)
        );
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e38, -f64::MAX] {
            count += 1;
            let e = heard(&session(Value(packet, value))).unwrap_err();
            named(&e, "vox.wild".as_ref());
            assert!(
                e.to_string()
                    .ends_with(&format!("(frame {})", packet * 1000)),
                "{e}"
            );
            let mut lenient = session(Value(packet, value));
            lenient.damage = Damage::Silence;
            let (report, got) = heard(&lenient).unwrap();
            let silenced = &report.tracks[0].clips[0].silenced[0];
            assert_eq!(silenced.frames, 1000);
            assert!((silenced.first[0].at_s - packet as f64 * 1000.0 / 44_100.0).abs() < 1e-9);
            assert!(same(&outside(&got), &outside(&tame)));
        }
    }
    held(
        count,
        "100.0: reported (W116), all else bit-equal; no number or beyond 1e30: refused, or 0 for that packet alone",
    )
}
