//! Devices that are disconnected, taken by other programs, reconfigured, silent, hang when closed, drift, or are suspended.

use super::{
    fake::{Busy, Fake, soon},
    renders::{noise, stem},
};
use crate::{
    ErrorKind, Frames, Layout, Opener, PlayerBuilder, SampleRate, Session, Source, Spec, State,
    Track,
    block::Block,
    player::{
        playback_thread::Command,
        stream_stats::{DeviceError, DeviceFault},
    },
};
use std::{
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

const LONG: Duration = Duration::from_secs(10);

fn mix(frames: usize) -> Session {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    mix.add_track(Track::new("noise", stem(1, 48_000, Layout::Stereo, frames)));
    mix
}

#[test]
fn every_loss_is_told_with_what_to_do_and_playing_goes_on_where_it_was() {
    let session = mix(480_000);
    let whole = session.render(Frames(0)..Frames(480_000)).unwrap();
    for injected in [
        DeviceFault::Disconnected,
        DeviceFault::Busy,
        DeviceFault::Invalidated,
        DeviceFault::PermissionDenied,
        DeviceFault::Failed,
    ] {
        let fake = Fake::default();
        let player = fake.play(&PlayerBuilder::new(), &session);
        fake.take(48_000, session.layout, &[128]);
        let busy = Busy::watch();
        fake.stats().record_fault(injected);
        let took = soon(LONG, || player.state() == State::Failed);
        assert!(took < busy.within(Duration::from_millis(500)), "{took:?}");
        let fault = player.fault().unwrap();
        assert_eq!(fault.kind(), ErrorKind::Device);
        assert_eq!(
            fault.to_string(),
            format!("the fake device {}", injected.message())
        );
        assert_eq!(player.position(), Frames(48_000 - 128));
        player.play();
        soon(LONG, || {
            fake.0.opened.load(Ordering::SeqCst) == 2 && player.fault().is_none()
        });
        let heard = fake.take(2_000, session.layout, &[128]);
        for n in 384..2_000 {
            assert_eq!(
                heard[0][n].to_bits(),
                whole[0][48_000 - 128 + n].to_bits(),
                "frame {n}"
            );
        }
    }
}

/// An error as the sound server of a loaded machine reports it.
fn late() -> DeviceError {
    DeviceError {
        fault: DeviceFault::Failed,
        cause: "ALSA function 'snd_pcm_avail_delay' failed with error 'I/O error (5)'".to_owned(),
    }
}

#[test]
fn errors_that_pass_change_no_frame_and_end_nothing() {
    let session = mix(48_000);
    let whole = session.render(Frames(0)..Frames(48_000)).unwrap();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &session);
    let mut heard = vec![Vec::new(); 2];
    for n in 0..493 {
        fake.stats().record_passing_error(late());
        let piece = fake.take(if n == 492 { 288 } else { 96 }, session.layout, &[96]);
        for (heard, piece) in heard.iter_mut().zip(piece) {
            heard.extend(piece);
        }
        assert_eq!(
            (player.state(), player.fault().is_none()),
            (State::Playing, true),
            "{n}"
        );
    }
    assert_eq!(heard[0].len(), 47_520);
    assert!((0..47_520).all(|n| heard[0][n].to_bits() == whole[0][n].to_bits()));
    assert_eq!(fake.0.opened.load(Ordering::SeqCst), 1);
    assert_eq!(player.underruns(), crate::Underruns::default());
}

#[test]
fn an_error_that_does_not_pass_ends_playing_with_its_cause() {
    let session = mix(480_000);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &session);
    fake.take(4_800, session.layout, &[128]);
    fake.stats().record_request(0);
    fake.be_impatient();
    fake.stats().record_passing_error(late());
    // Longer than a device may be silent that reports nothing.
    let took = soon(LONG, || player.state() == State::Failed);
    assert!(took > Duration::from_millis(2500), "{took:?}");
    let cause = "ALSA function 'snd_pcm_avail_delay' failed with error 'I/O error (5)'";
    assert_eq!(
        player.fault().unwrap().to_string(),
        format!(
            "the fake device {} ({cause})",
            DeviceFault::Failed.message()
        )
    );
    // What ends the stream says why at once.
    player.play();
    soon(LONG, || {
        fake.0.opened.load(Ordering::SeqCst) == 2 && player.fault().is_none()
    });
    fake.be_patient();
    fake.take(4_800, session.layout, &[128]);
    fake.stats().record_fatal_error(DeviceError {
        fault: DeviceFault::Disconnected,
        cause: "Device disconnected".to_owned(),
    });
    soon(LONG, || player.state() == State::Failed);
    assert_eq!(
        player.fault().unwrap().to_string(),
        format!(
            "the fake device {} (Device disconnected)",
            DeviceFault::Disconnected.message()
        )
    );
}

#[test]
fn silence_of_the_device_counts_with_its_underruns() {
    let session = mix(48_000);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &session);
    fake.take(4_800, session.layout, &[128]);
    fake.stats().record_xrun();
    fake.stats().record_gap(2175);
    let underruns = player.underruns();
    assert_eq!((underruns.count, underruns.frames), (1, 2175));
}

#[test]
fn a_device_that_fails_before_it_plays_is_opened_again() {
    let session = mix(48_000);
    let whole = session.render(Frames(0)..Frames(48_000)).unwrap();
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new().at(Frames(100)), &session);
    fake.stats().record_fault(DeviceFault::Failed);
    soon(LONG, || {
        fake.0.opened.load(Ordering::SeqCst) == 2 && player.state() == State::Playing
    });
    assert!(player.fault().is_none());
    assert_eq!(
        fake.take(2_000, session.layout, &[128])[0][384..],
        whole[0][100 + 384..2_100]
    );
    // A failure that recurs is reported, and so is one during playback.
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &session);
    for opened in 1..=4 {
        soon(LONG, || fake.0.opened.load(Ordering::SeqCst) == opened);
        fake.stats().record_fault(DeviceFault::Failed);
    }
    soon(LONG, || player.state() == State::Failed);
    player.play();
    soon(LONG, || {
        player.fault().is_none() && fake.0.opened.load(Ordering::SeqCst) == 5
    });
    fake.take(256, session.layout, &[128]);
    fake.stats().record_fault(DeviceFault::Failed);
    soon(LONG, || player.state() == State::Failed);
    assert_eq!(fake.0.opened.load(Ordering::SeqCst), 5);
}

#[test]
fn a_device_that_stops_asking_is_told_in_half_a_second_and_its_closing_may_hang() {
    let session = mix(480_000);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &session);
    fake.take(4_800, session.layout, &[128]);
    *fake.0.hangs.lock().unwrap() = Duration::from_secs(3);
    let busy = Busy::watch();
    fake.stats().record_request(0);
    fake.be_impatient();
    let took = soon(LONG, || player.state() == State::Failed);
    assert!(
        took > Duration::from_millis(300) && took < busy.within(Duration::from_millis(500)),
        "{took:?}"
    );
    assert!(
        player
            .fault()
            .unwrap()
            .to_string()
            .contains("stopped asking for sound: play on")
    );
    let start = Instant::now();
    drop(player);
    assert!(
        start.elapsed() < busy.within(Duration::from_secs(1)),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_device_that_hangs_when_it_is_closed_does_not_hold_the_caller() {
    let session = mix(480_000);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &session);
    fake.take(4_800, session.layout, &[128]);
    *fake.0.hangs.lock().unwrap() = Duration::from_secs(5);
    let (busy, start) = (Busy::watch(), Instant::now());
    drop(player);
    assert!(
        start.elapsed() < busy.within(Duration::from_secs(2)),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_device_that_never_asks_and_one_that_is_busy_are_errors() {
    let session = mix(4_800);
    let fake = Fake::default();
    fake.be_impatient();
    let player = fake.play(&PlayerBuilder::new(), &session);
    let busy = Busy::watch();
    // A starting device has more time: a sound server may have to wake it up first.
    let took = soon(LONG, || player.state() == State::Failed);
    assert!(
        took > Duration::from_millis(2_900) && took < busy.within(Duration::from_millis(3_500)),
        "{took:?}"
    );
    drop(player);
    let fake = Fake::default();
    *fake.0.refuses.lock().unwrap() = true;
    let start = Instant::now();
    let refused = PlayerBuilder::new()
        .start(&session, Box::new(fake.clone()))
        .unwrap_err();
    assert_eq!(
        (
            refused.kind(),
            start.elapsed() < busy.within(Duration::from_secs(1))
        ),
        (ErrorKind::Device, true)
    );
    // If opening it again fails, that is reported, and `play` tries again.
    *fake.0.refuses.lock().unwrap() = false;
    let player = fake.play(&PlayerBuilder::new(), &session);
    fake.take(480, session.layout, &[48]);
    fake.stats().record_fault(DeviceFault::Disconnected);
    soon(LONG, || player.state() == State::Failed);
    *fake.0.refuses.lock().unwrap() = true;
    player.play();
    soon(LONG, || {
        player
            .fault()
            .is_some_and(|e| e.to_string().contains("is busy"))
    });
    *fake.0.refuses.lock().unwrap() = false;
    player.play();
    soon(LONG, || {
        player.state() == State::Playing && player.fault().is_none()
    });
    let left = session.render(Frames(432)..Frames(4_800)).unwrap()[0].len();
    fake.take(left, session.layout, &[48]);
    assert_eq!(fake.finish(&player, 2), State::Ended);
}

#[test]
fn moving_to_another_device_goes_on_where_it_was() {
    let session = mix(480_000);
    let whole = session.render(Frames(0)..Frames(480_000)).unwrap();
    let (one, other) = (Fake::default(), Fake::default());
    let player = one.play(&PlayerBuilder::new(), &session);
    one.take(24_000, session.layout, &[128]);
    soon(LONG, || {
        one.with(|callback, _| callback.available()).unwrap() >= 960
    });
    player.send(Command::MoveTo(Box::new(other.clone())));
    // The first device plays the fade and is closed.
    soon(LONG, || {
        one.with(|callback, _| callback.serve(&mut [0f32; 256], 0))
            .is_none()
    });
    soon(LONG, || other.0.opened.load(Ordering::SeqCst) == 1);
    let at = player.position().0 as usize;
    assert!(
        (24_960..26_400).contains(&at),
        "the ring and the fade were heard: {at}"
    );
    let heard = other.take(2_000, session.layout, &[100]);
    for n in 384..2_000 {
        assert_eq!(
            heard[1][n].to_bits(),
            whole[1][at + n].to_bits(),
            "frame {n}"
        );
    }
    assert_eq!(player.state(), State::Playing);
}

#[test]
fn a_storm_of_xruns_is_counted_and_costs_nothing() {
    let session = mix(480_000);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &session);
    for _ in 0..1_000 {
        fake.take(64, session.layout, &[64]);
        fake.stats().record_xrun();
    }
    assert_eq!(
        (player.underruns().count, player.underruns().frames),
        (1_000, 0)
    );
    assert_eq!(player.state(), State::Playing);
}

/// A source longer than an hour whose samples are a function of the frame.
struct Endless(u64);

impl Source for Endless {
    fn spec(&self) -> Spec {
        Spec {
            rate: SampleRate::new(8_000).unwrap(),
            layout: Layout::Mono,
        }
    }
    fn length(&self) -> Option<Frames> {
        Some(Frames(8_000 * 3_700))
    }
    fn read(&mut self, out: &mut Block) -> crate::Result<usize> {
        let n = out.capacity().min((8_000 * 3_700 - self.0) as usize);
        out.set_frames(n);
        let at = self.0;
        out.channel_mut(0)
            .iter_mut()
            .enumerate()
            .for_each(|(i, x)| *x = sample(at + i as u64));
        self.0 += n as u64;
        Ok(n)
    }
    fn seek(&mut self, to: Frames) -> crate::Result<()> {
        self.0 = to.0;
        Ok(())
    }
}

fn sample(frame: u64) -> f64 {
    (frame % 65_521) as f64 / 131_072.0
}

/// A device whose clock is off by 500 ppm for an hour, and which is then suspended.
#[test]
fn drift_moves_no_stem_and_sleep_loses_nothing() {
    for ppm in [-500i64, 500] {
        let mut session = Session::new(SampleRate::new(8_000).unwrap(), Layout::Mono);
        for n in 0..2 {
            session.add_track(Track::new(
                format!("t{n}"),
                Opener::new("endless", || Ok(Box::new(Endless(0)))),
            ));
        }
        let fake = Fake::default();
        let player = fake.play(
            &PlayerBuilder::new()
                .latency(Duration::from_secs(2))
                .read_ahead(LONG),
            &session,
        );
        // An hour in periods of 100 ms, in which the device plays a little more or less.
        let (mut played, mut at) = (0u64, 0u64);
        for tenth in 1..=36_000i64 {
            let due = (tenth * 800 + tenth * 800 * ppm / 1_000_000) as u64;
            let n = (due - played) as usize;
            fake.until(n as u64);
            for x in fake.pull::<f64>(n, 1) {
                assert_eq!(x, 2.0 * sample(at), "frame {at}");
                at += 1;
            }
            played = due;
            assert!(played - player.position().0 <= n as u64);
        }
        assert_eq!(played, (28_800_000 + ppm * 28_800_000 / 1_000_000) as u64);
        assert_eq!(player.underruns().count, 0);
        // After a suspend of eight hours the device reports that delay once, and continues.
        let mut out = vec![0f64; 64];
        fake.with(|callback, _| callback.serve(&mut out, 8 * 3_600 * 8_000))
            .unwrap();
        assert_eq!(out[0], 2.0 * sample(at));
        fake.until(64);
        assert_eq!(fake.pull::<f64>(64, 1)[0], 2.0 * sample(at + 64));
        assert!(player.position().0 <= at + 128 && player.position().0 + 800 >= at - 800);
    }
}

#[test]
fn a_suspended_device_goes_on_or_is_told() {
    let session = mix(480_000);
    let fake = Fake::default();
    let player = fake.play(&PlayerBuilder::new(), &session);
    fake.take(4_800, session.layout, &[480]);
    // A pause below the timeout has no effect, a longer one is a fault; both continue at the same frame.
    thread::sleep(Duration::from_millis(150));
    let heard = fake.take(480, session.layout, &[480]);
    assert_eq!(heard[0][0], 0.25 * noise(1, 0, 4_800));
    fake.be_impatient();
    soon(LONG, || player.state() == State::Failed);
    assert_eq!(player.position(), Frames(4_800));
    fake.be_patient();
    player.play();
    soon(LONG, || player.fault().is_none());
    let heard = fake.take(480, session.layout, &[480]);
    assert_eq!(heard[0][400], 0.25 * noise(1, 0, 4_800 + 400));
}
