#!/usr/bin/env python3
"""Prints what a game pays for music: crates, CPU seconds of a first build and size of the program, here and with peers.

Each program plays a WAV or Vorbis file that it holds in memory, without a sound device. Needs the package registry.
Usage: benches/small_builds.py [--release]
"""

import pathlib
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = """
use soundtrack::{Input, Layout, PlayerBuilder, SampleRate, Session, Spec, Track, Frames};
fn main() -> soundtrack::Result<()> {
    let bytes: std::sync::Arc<[u8]> = std::fs::read(std::env::args().nth(1).unwrap()).unwrap().into();
    let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Stereo };
    let mut music = Session::new(spec.rate, spec.layout);
    music.add_track(Track::new("bed", Input::bytes("bed", bytes)));
    let (player, mut callback) = PlayerBuilder::new().own(&music, spec)?;
    player.play();
    callback.fill(&mut [0.0f32; 960], Frames(0));
    Ok(())
}
"""
KIRA = """
use kira::{AudioManager, AudioManagerSettings, backend::mock::MockBackend, sound::static_sound::StaticSoundData};
fn main() {
    let bytes = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let mut manager = AudioManager::<MockBackend>::new(AudioManagerSettings::default()).unwrap();
    let sound = StaticSoundData::from_cursor(std::io::Cursor::new(bytes)).unwrap();
    manager.play(sound).unwrap();
    manager.backend_mut().process();
}
"""
RODIO = """
fn main() {
    let bytes = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let (mixer, mut output) = rodio::mixer::mixer(2.try_into().unwrap(), 48_000.try_into().unwrap());
    mixer.add(rodio::Decoder::new(std::io::Cursor::new(bytes)).unwrap());
    output.next();
}
"""
PROGRAMS = {
    "soundtrack": (f'soundtrack = {{ path = "{ROOT}", default-features = false, features = ["codecs-vorbis", "player"] }}', OURS),
    "soundtrack, all features of the default": (f'soundtrack = {{ path = "{ROOT}" }}', OURS),
    "kira 0.12": ('kira = { version = "0.12", default-features = false, features = ["wav", "ogg"] }', KIRA),
    "rodio 0.22": ('rodio = { version = "0.22", default-features = false, features = ["wav", "vorbis"] }', RODIO),
}


def measure(name, dependency, source, profile):
    """Builds one program from nothing and returns its row."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "src").mkdir()
        manifest = f'[package]\nname = "game"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n{dependency}\n[workspace]\n'
        (folder / "Cargo.toml").write_text(manifest)
        (folder / "src/main.rs").write_text(source)
        cargo = ["cargo", "--quiet"]
        subprocess.run([*cargo, "fetch"], cwd=folder, check=True)
        listed = [*cargo, "tree", "-e", "normal,build", "--prefix", "none", "--no-dedupe"]
        tree = subprocess.run(listed, cwd=folder, check=True, capture_output=True, text=True).stdout
        # A line is `name vVERSION`, and `(proc-macro)` or a path.
        crates = len({" ".join(line.split()[:2]) for line in tree.splitlines()}) - 1
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        target = folder / "target"
        subprocess.run([*cargo, "build", *profile, "--target-dir", target], cwd=folder, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        program = target / ("release" if profile else "debug") / "game"
        subprocess.run(["strip", program], check=False)
        size = program.stat().st_size / 2**20
        print(f"| {name} | {crates} | {seconds:.0f} | {size:.1f} |", flush=True)


def main():
    profile = [a for a in sys.argv[1:] if a == "--release"]
    print("| program | crates | CPU seconds | MiB, stripped |\n|---|---|---|---|", flush=True)
    for name, (dependency, source) in PROGRAMS.items():
        measure(name, dependency, source, profile)


if __name__ == "__main__":
    main()
