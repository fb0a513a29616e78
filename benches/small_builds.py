#!/usr/bin/env python3
"""Prints what programs pay for music: lines, crates, CPU seconds of a first build and size, here and with peers.

The programs are in small_programs. They read WAV and Vorbis, and none needs a sound device. Needs the package registry.
Usage: benches/small_builds.py [--release]
"""

import pathlib
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = pathlib.Path(__file__).resolve().parent / "small_programs"
OURS = f'soundtrack = {{ path = "{ROOT}", default-features = false, features = ["codecs-vorbis", "player"] }}'
RODIO = 'rodio = { version = "0.22", default-features = false, features = ["wav", "vorbis", "wav_output"] }'
# Music that follows a game: a layer fades in over a bar, and a stinger sounds on a beat. And two files mixed in memory.
BUILDS = [
    ("game, soundtrack", "game_soundtrack", OURS),
    ("game, kira 0.12", "game_kira", 'kira = { version = "0.12", default-features = false, features = ["ogg", "pcm", "vorbis", "wav"] }'),
    ("mix, soundtrack", "bytes_soundtrack", OURS),
    ("mix, rodio 0.22", "bytes_rodio", RODIO),
    ("mix, soundtrack with its default features", "bytes_soundtrack", f'soundtrack = {{ path = "{ROOT}" }}'),
]


def measure(name, program, dependency, profile):
    """Builds one program from nothing and returns its row."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "src").mkdir()
        manifest = f'[package]\nname = "game"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n{dependency}\n[workspace]\n'
        (folder / "Cargo.toml").write_text(manifest)
        source = (PROGRAMS / f"{program}.rs").read_text()
        (folder / "src/main.rs").write_text(source)
        lines = sum(bool(line.strip()) for line in source.splitlines())
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
        print(f"| {name} | {lines} | {crates} | {seconds:.0f} | {size:.1f} |", flush=True)


def main():
    profile = [a for a in sys.argv[1:] if a == "--release"]
    print("| program | lines | crates | CPU seconds | MiB, stripped |\n|---|---|---|---|---|", flush=True)
    for build in BUILDS:
        measure(*build, profile)


if __name__ == "__main__":
    main()
