"""What somebody finds who has just installed the package."""

import base64
import json

from .. import pictures
from .plug import PLUG, UNPLUG


async def installed(lab):
    """As the package comes, with no file edited: the service is up, and its link opens the camera."""
    await lab.answers()
    # What is started already is only waited for: until it has tried the camera, it is not quite up.
    by_itself = (await lab.run("systemctl is-active porthole; true")).strip() in ("active", "activating")
    state = (await lab.run("systemctl start porthole; systemctl is-active porthole; systemctl is-enabled porthole; systemctl show -P StatusText porthole")).split("\n")
    lab.report.row("the service is up by itself", by_itself and state[:2] == ["active", "enabled"], ", ".join(filter(None, state)))
    link = (await lab.run("porthole access show owner 2>&1; true")).strip()
    key = next((word.split("key=")[1].split("&")[0] for word in link.split() if "key=" in word), "")
    # The encoder in hardware is taken, which answers with a recorded stream whatever it is given. So it is seen that this is
    # what encodes, and what it is given is looked at in a snapshot.
    viewer = await lab.watch(shows=pictures.recorded, key=key)
    await lab.sleep(5)
    frame, begun = viewer.frames[-1], len(viewer.frames)
    await lab.sleep(5)
    rate = (len(viewer.frames) - begun) / 5
    taken = await lab.run(f"curl -sS -H 'Authorization: Bearer {key}' http://127.0.0.1:8080/snapshot.jpg | base64 -w 0")
    points, size = pictures.jpeg(base64.b64decode(taken))
    told = "is open, and pictures flow" in await lab.run("porthole status")
    lab.report.row(
        "the first call after installation shows the camera",
        pictures.bars(points) and told and rate > 1 and len(viewer.sounds) > 0 and not viewer.is_over(),
        f"connected {viewer.took:.2f} s, picture {viewer.first:.2f} s after the offer, {frame.size[0]}x{frame.size[1]}, "
        f"{rate:.1f} frames/s, {len(viewer.sounds)} pieces of sound; a snapshot of {size[0]}x{size[1]} has {pictures.named(points)}",
    )
    await viewer.hang_up()


async def devices(lab):
    """What is there, in words and as JSON."""
    await lab.feed("MJPEG", "H.264")
    try:
        words = await lab.run("porthole devices 2>&1")
        lab.report.say(words)
        found = json.loads(await lab.run("porthole devices --json 2> /dev/null"))
        wanted = ["/dev/video0", "/dev/video20", "MJPEG", "H.264", "Loopback"]
        missing = [word for word in wanted if word.lower() not in words.lower()]
        lab.report.row("porthole devices lists them all", not missing and bool(found), f"missing: {missing}" if missing else "")
    finally:
        await lab.starve()
        await lab.run("systemctl start porthole")


async def doctor(lab):
    """What `porthole doctor` finds while the daemon is stopped, with the camera and without."""
    await lab.run("systemctl stop porthole")
    try:
        with_it = await lab.run("porthole doctor 2>&1; true")
        await lab.run(UNPLUG)
        without = await lab.run("porthole doctor 2>&1; true")
    finally:
        await lab.run(f"{PLUG}; systemctl start porthole")
    lab.report.say(f"{with_it}\nWithout the camera:\n{without}")
    lab.report.row("porthole doctor sees frames of the camera", "ok" in about(with_it, "camera"), ", ".join(about(with_it, "camera")))
    found = about(without, "camera")
    lab.report.row("porthole doctor says that there is none, and what to do", found and "ok" not in found and "->" in without, ", ".join(found))


def about(said, what):
    """The verdicts on one thing."""
    lines = [line.split() for line in said.splitlines()]
    return [words[0] for words in lines if len(words) > 1 and words[1] == what]
