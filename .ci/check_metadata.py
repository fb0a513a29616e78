"""Compares what other programs read from the delivered lighthouse with what its session states; see check-metadata."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import mutagen.flac
import mutagen.wave
import soundfile
from pymediainfo import MediaInfo
from wavinfo import WavInfoReader

TITLE = "The Lighthouse Keeper - Reel 2"
ALBUM = "The Lighthouse Keeper (Original Soundtrack)"
ARTIST = "The Harbour Orchestra"
DATE = "2026-11-27"
# 01:00:00:00 at 23.976 frames a second and 48 kHz.
REFERENCE = 172_972_800
FRAMES = 1_441_440
MARKERS = {480_480: "the boat", 504_120: "lightning", 1_153_152: "lightning"}
HISTORY = "A=PCM,F=48000,W=24,M=stereo,T=soundtrack"

checks = 0
faults = []


def check(reader, file, field, found, stated):
    global checks
    checks += 1
    if found != stated:
        faults.append(f"{file.name}: {reader}: {field} is {found!r}, stated is {stated!r}")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def report_of(report, name):
    """Returns the report of a delivered file."""
    for deliverable in report["deliverables"]:
        for file in deliverable["files"]:
            if (file["output"] or "").endswith("/" + name):
                return deliverable, file
    raise SystemExit(f"the report has no file {name}")


def hundredths(level):
    """Rounds half away from zero to two digits, as bext holds a level."""
    sign = -1 if level < 0 else 1
    return sign * int(abs(level) * 100 + 0.5) / 100


def replay_gain(loudness):
    """Formats a gain to -18 LUFS without a minus before zero."""
    return f"{round(-18.0 - loudness, 2) + 0.0:+.2f} dB"


def check_wave(file, report, title, channels):
    """Checks a WAV file of the picture's timeline."""
    wave = WavInfoReader(str(file), info_encoding="utf-8")
    bext = wave.bext

    def wavinfo(field, found, stated):
        check("wavinfo", file, field, found, stated)

    wavinfo("description", bext.description, title)
    wavinfo("originator", bext.originator, "soundtrack")
    wavinfo("originator reference", bext.originator_ref, "")
    wavinfo("origination date", bext.originator_date, DATE)
    wavinfo("origination time", bext.originator_time, "")
    wavinfo("time reference", bext.time_reference, REFERENCE)
    wavinfo("version", bext.version, 2)
    wavinfo("UMID", bext.umid, bytes(64))
    wavinfo("coding history", bext.coding_history.strip(), HISTORY)
    mix = report["mix"]
    if report["content"] == "mix":
        for field, found, key in [
            ("loudness", bext.loudness_value, "integrated_lufs"),
            ("loudness range", bext.loudness_range, "loudness_range_lu"),
            ("true peak", bext.max_true_peak, "true_peak_dbtp"),
            ("momentary loudness", bext.max_momentary_loudness, "momentary_max_lufs"),
            ("short-term loudness", bext.max_shortterm_loudness, "short_term_max_lufs"),
        ]:
            wavinfo(field, found, hundredths(mix[key]))
    else:
        wavinfo("loudness", bext.loudness_value, 327.67)
    wavinfo("frames", wave.data.frame_count, FRAMES)
    wavinfo("iXML project", wave.ixml.project, TITLE)
    tracks = [(track.channel_index, track.name) for track in wave.ixml.track_list]
    wavinfo("iXML tracks", tracks, [(str(i + 1), name) for i, name in enumerate(channels)])
    xml = wave.ixml.raw_xml
    for element, stated in [
        ("SPEED/TIMECODE_RATE", "24000/1001"),
        ("SPEED/TIMECODE_FLAG", "NDF"),
        ("SPEED/FILE_SAMPLE_RATE", "48000"),
        ("SPEED/AUDIO_BIT_DEPTH", "24"),
        ("SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", "0"),
        ("SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", str(REFERENCE)),
    ]:
        wavinfo(element, xml.findtext(element), stated)
    wavinfo("title", wave.info.title, title)
    wavinfo("artist", wave.info.artist, "Various Artists")
    wavinfo("product", wave.info.product, ALBUM)
    wavinfo("created", wave.info.created_date, DATE)
    cues = {at: wave.cues.label_and_note(name)[0] for name, at in wave.cues.each_cue()}
    wavinfo("markers", cues, MARKERS)

    info = soundfile.info(str(file))
    found = (info.frames, info.samplerate, info.channels, info.subtype)
    check("soundfile", file, "format", found, (FRAMES, 48_000, 2, "PCM_24"))
    with soundfile.SoundFile(str(file)) as sound:
        tags = sound.copy_metadata()
    check("soundfile", file, "title", tags.get("title"), title)
    check("soundfile", file, "artist", tags.get("artist"), "Various Artists")
    check("soundfile", file, "album", tags.get("album"), ALBUM)

    general = MediaInfo.parse(str(file)).general_tracks[0]
    check("mediainfo", file, "title", general.title, title)
    check("mediainfo", file, "album", general.album, ALBUM)
    check("mediainfo", file, "producer", general.producer, "soundtrack")
    audio = MediaInfo.parse(str(file)).audio_tracks[0]
    check("mediainfo", file, "delay in ms", round(float(audio.delay)), 3_603_600)
    check("mediainfo", file, "samples", int(audio.samples_count or 0), FRAMES)

    tag = mutagen.wave.WAVE(str(file))
    check("mutagen", file, "TALB", str(tag["TALB"]), ALBUM)
    check("mutagen", file, "TIT2", str(tag["TIT2"]), title)
    if shutil.which("bwfmetaedit"):
        core = output("bwfmetaedit", "--out-core", str(file))
        for stated in [title, "soundtrack", DATE, str(REFERENCE)]:
            check("bwfmetaedit", file, f"{stated} in the core", stated in core, True)
        valid = subprocess.run(["bwfmetaedit", "--specialchars", str(file)], capture_output=True)
        check("bwfmetaedit", file, "exit code", valid.returncode, 0)
    return wave.ixml.family_uid


def check_piece(file, report, album, number, title, isrc, artist, composers):
    """Checks a FLAC file of the album."""
    tags = mutagen.flac.FLAC(str(file))

    def stated(name, value):
        check("mutagen", file, name, tags.tags.get(name), value)

    stated("TITLE", [title])
    stated("ARTIST", [artist])
    stated("ALBUM", [ALBUM])
    stated("ALBUMARTIST", ["Various Artists"])
    stated("TRACKNUMBER", [str(number)])
    stated("TRACKTOTAL", ["2"])
    stated("DATE", [DATE])
    stated("COMPOSER", composers)
    stated("PUBLISHER", ["Some Music Ltd"])
    stated("LABEL", ["Some Records"])
    stated("ISRC", [isrc])
    stated("BARCODE", ["00602547924032"])
    mix = report["mix"]
    stated("REPLAYGAIN_TRACK_GAIN", [replay_gain(mix["integrated_lufs"])])
    stated("REPLAYGAIN_TRACK_PEAK", [f"{10 ** (mix['true_peak_dbtp'] / 20):.6f}"])
    stated("REPLAYGAIN_ALBUM_GAIN", [replay_gain(album["integrated_lufs"])])
    stated("REPLAYGAIN_ALBUM_PEAK", [f"{10 ** (album['true_peak_dbtp'] / 20):.6f}"])
    points = [point.first_sample for point in tags.seektable.seekpoints]
    wanted = [10 * 48_000 * i // 4096 * 4096 for i in range(-(-report["frames"] // 480_000))]
    check("mutagen", file, "seek points", points, wanted)
    check("mutagen", file, "frames", tags.info.total_samples, report["frames"])
    info = soundfile.info(str(file))
    found = (info.frames, info.samplerate, info.channels, info.subtype)
    check("soundfile", file, "format", found, (report["frames"], 48_000, 2, "PCM_24"))
    general = MediaInfo.parse(str(file)).general_tracks[0]
    for name, value in [
        ("title", title),
        ("performer", artist),
        ("album", ALBUM),
        ("track_name_position", str(number)),
        ("isrc", isrc),
        ("composer", " / ".join(composers)),
    ]:
        check("mediainfo", file, name, getattr(general, name), value)
    if shutil.which("metaflac"):
        shown = output("metaflac", "--show-total-samples", "--show-tag=ISRC", str(file)).split()
        check("metaflac", file, "frames and ISRC", shown, [str(report["frames"]), f"ISRC={isrc}"])
    if shutil.which("flac"):
        subprocess.run(["flac", "-t", "-s", "-w", str(file)], check=True)


def main(folder):
    out = Path(folder) / "delivery"
    report = json.loads((out / f"{TITLE}.json").read_text())
    uids = []
    for name, title, channels in [
        (TITLE, TITLE, ["L", "R"]),
        (f"{TITLE} M&E", TITLE, ["L", "R"]),
        (f"{TITLE} music", f"{TITLE} - music", ["music L", "music R"]),
        (f"{TITLE} dialogue", f"{TITLE} - dialogue", ["dialogue L", "dialogue R"]),
        (f"{TITLE} hall", f"{TITLE} - hall", ["hall L", "hall R"]),
    ]:
        file = out / f"{name}.wav"
        uids.append(check_wave(file, report_of(report, file.name)[1], title, channels))
    check("wavinfo", out, "one FAMILY_UID in all stems, none in mixes", [bool(u) for u in uids], [False] * 2 + [True] * 3)
    check("wavinfo", out, "FAMILY_UIDs of the stems", len(set(uids[2:])), 1)

    album = json.loads((out / "album" / "album.json").read_text())
    isrcs = ["GBABC2600001", "GBABC2600002"]
    pieces = [
        ("01 The Storm", "The Storm", ARTIST, ["A. Writer", "B. Writer"]),
        ("02 End Titles", "End Titles", "Various Artists", ["B. Writer"]),
    ]
    for number, ((name, title, artist, composers), isrc) in enumerate(zip(pieces, isrcs), 1):
        file = out / "album" / f"{name}.flac"
        own = report_of(report, f"album/{file.name}")[1]
        check_piece(file, own, album, number, title, isrc, artist, composers)
        disc = out / "cd" / f"{name}.wav"
        tag = mutagen.wave.WAVE(str(disc))
        for frame, stated in [("TSRC", isrc), ("TIT2", title), ("TRCK", f"{number}/2"), ("TPE1", artist), ("TDRC", DATE)]:
            check("mutagen", disc, frame, str(tag[frame]), stated)
        wave = WavInfoReader(str(disc), info_encoding="utf-8")
        check("wavinfo", disc, "title", wave.info.title, title)
        check("wavinfo", disc, "reference", wave.bext.originator_ref, isrc)
        info = soundfile.info(str(disc))
        found = (info.samplerate, info.subtype)
        check("soundfile", disc, "format", found, (44_100, "PCM_16"))

    for fault in faults:
        print(fault)
    missing = [program for program in ["bwfmetaedit", "metaflac", "flac"] if not shutil.which(program)]
    for program in missing:
        print(f"NOT CHECKED: what {program} reads, which is not installed")
    print(f"{checks} values read by other programs, {len(faults)} differ from what is stated")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
