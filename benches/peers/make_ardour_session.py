"""Makes an Ardour session `mix` that plays stereo files of 48 kHz from the start. Arguments: LUA FOLDER FRAMES IN...

LUA is Ardour's command line interpreter, such as ardour7-lua. It makes empty tracks; the files are then written into the
session file, each as an external source with one region. `ardour7-export` renders it.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

RATE = 48_000
# Ardour counts time in ticks. 282,240,000 of them are a second.
TICKS_PER_FRAME = 282_240_000 // RATE


def main():
    lua, folder, frames, *stems = sys.argv[1:]
    length = int(frames) * TICKS_PER_FRAME
    folder = pathlib.Path(folder).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"""
            local session = create_session("{folder}", "mix", {RATE})
            session:new_audio_track(2, 2, nil, {len(stems)}, "stem", 0, ARDOUR.TrackMode.Normal)
            session:save_state("")
            close_session()
        """)
        script.flush()
        subprocess.run([lua, script.name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path = folder / "mix.ardour"
    tree = xml.parse(path)
    session = tree.getroot()
    next_id = int(session.get("id-counter"))

    def new_id():
        nonlocal next_id
        next_id += 1
        return str(next_id)

    for stem, playlist in zip(stems, session.find("Playlists"), strict=True):
        stem = pathlib.Path(stem).resolve()
        region = {"name": stem.name, "type": "audio", "id": new_id(), "channels": "2", "opaque": "1"}
        region |= {"start": "a0", "position": "a0", "length": f"a{length}@a0"}
        # Its own fades would change 64 frames at both ends.
        region |= {"fade-in-active": "0", "fade-out-active": "0"}
        for channel in range(2):
            source = {"name": str(stem), "type": "audio", "id": new_id(), "channel": str(channel), "flags": ""}
            xml.SubElement(session.find("Sources"), "Source", source)
            region[f"source-{channel}"] = region[f"master-source-{channel}"] = source["id"]
        xml.SubElement(playlist, "Region", region)
    extent = {"name": "session", "id": new_id(), "start": "a0", "end": f"a{length}", "flags": "IsSessionRange"}
    xml.SubElement(session.find("Locations"), "Location", extent)
    session.set("id-counter", new_id())
    tree.write(path)


main()
