"""Sums audio files with pedalboard's reader and writer, in single precision. Arguments: OUT IN..."""

import sys

import numpy
from pedalboard.io import AudioFile

RATE = 48_000
FRAMES = 65_536


def opened(name):
    file = AudioFile(name)
    return file if file.samplerate == RATE else file.resampled_to(RATE)


def main():
    out, *names = sys.argv[1:]
    files = [opened(name) for name in names]
    with AudioFile(out, "w", samplerate=RATE, num_channels=2, bit_depth=24) as mix:
        while True:
            total = numpy.zeros((2, FRAMES), numpy.float32)
            longest = 0
            for file in files:
                block = file.read(FRAMES)
                total[:, : block.shape[1]] += block
                longest = max(longest, block.shape[1])
            if longest == 0:
                break
            mix.write(total[:, :longest])


main()
