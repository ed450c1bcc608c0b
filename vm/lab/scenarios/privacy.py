"""Nobody looks and listens: privacy; and a look without a call: the snapshot. Both are about who has the camera open."""

import asyncio
import urllib.error
import urllib.request

from .. import pictures
from .silence import HEARS, TONE

# Who has the camera or the microphone open.
HOLDERS = "fuser /dev/video0 /dev/snd/pcmC*c 2> /dev/null; true"
# As long as it may take until nobody has, and until the picture is back, in seconds.
CLOSED, BACK = 3, 3
# A tone is louder than this, silence is not.
LOUD = 100


async def freed(lab):
    """Waits until nobody has camera or microphone open. Seconds that took, or `None`."""
    begun = lab.now
    while lab.now - begun < 20:
        if not (await lab.run(HOLDERS)).strip():
            return lab.now - begun
    return None


def loudness(viewer, since):
    heard = [sound.loudness for sound in viewer.sounds if sound.at > since]
    return sum(heard) / len(heard) if heard else 0.0


async def privacy(lab):
    await lab.run(TONE)
    try:
        await lab.configure(**HEARS)
        viewer = await lab.watch()
        await lab.settle(viewer, 4)
        before = loudness(viewer, lab.now - 2)
        begun = lab.now
        words = (await lab.run("porthole privacy on --config /etc/porthole/porthole.toml")).strip()
        closed = await freed(lab)
        lab.report.row("privacy closes camera and microphone", closed is not None and closed <= CLOSED, f"{closed and round(closed, 2)} s; {words}")
        await lab.sleep(3)
        after = loudness(viewer, lab.now - 1.5)
        black = viewer.frames[-1].shows(pictures.slate) and viewer.frames[-1].at > begun
        told = [payload.get("what") for _, event, payload in viewer.said if event == "notice"]
        lab.report.row(
            "who watches sees black, hears nothing and is told", black and before > LOUD > after and "privacy-on" in told and not viewer.is_over(),
            f"brightness {viewer.frames[-1].brightness():.0f} where the camera had {lab.camera.brightness():.0f}, loudness {before:.0f} then {after:.0f}, told {told}",
        )
        refused = await asyncio.to_thread(snapshot_status, lab)
        lab.report.row("and nobody gets a snapshot", refused == 403 and not (await lab.run(HOLDERS)).strip(), f"status {refused}")
        await lab.run("systemctl restart porthole")
        await lab.answers()
        await viewer.hang_up()
        viewer = await lab.watch(shows=pictures.slate)
        await lab.sleep(2)
        kept = all(frame.shows(pictures.slate) for frame in viewer.frames) and not (await lab.run(HOLDERS)).strip()
        lab.report.row("a restart does not end privacy", kept, f"brightness {viewer.frames[-1].brightness():.0f}")
        ended = lab.now
        await lab.run("porthole privacy off --config /etc/porthole/porthole.toml")
        seen = await viewer.until(lambda f: f.at > ended and lab.shows_camera(f), 20)
        await lab.sleep(3)
        after = loudness(viewer, lab.now - 1.5)
        took = seen.at - ended if seen else None
        lab.report.row("its end brings picture and sound back", took is not None and took <= BACK and after > LOUD, f"{took and round(took, 2)} s, loudness {after:.0f}")
        await viewer.hang_up()
    finally:
        await lab.run("pkill gst-launch; porthole privacy off --config /etc/porthole/porthole.toml; true")


def snapshot_status(lab):
    try:
        return urllib.request.urlopen(f"{lab.url}/snapshot.jpg", timeout=300).status
    except urllib.error.HTTPError as refused:
        return refused.code


def picture(lab):
    """A snapshot: its type, points and size."""
    with urllib.request.urlopen(f"{lab.url}/snapshot.jpg", timeout=300) as answer:
        return answer.headers["content-type"], *pictures.jpeg(answer.read())


async def taken(lab):
    """A snapshot, how long it took, and how often the camera was opened for it."""
    mark, begun = await lab.mark(), lab.now
    kind, points, size = await asyncio.to_thread(picture, lab)
    opened = (await lab.said_since(mark)).count("camera /dev/video0 ")
    good = kind == "image/jpeg" and size == (320, 180) and pictures.bars(points)
    return good, opened, f"{kind} of {size[0]}x{size[1]} with {pictures.named(points)} in {lab.now - begun:.2f} s"


async def snapshot(lab):
    await lab.configure()
    viewer = await lab.watch()
    await lab.sleep(3)
    count = len(viewer.frames)
    good, opened, figures = await taken(lab)
    await lab.sleep(2)
    lab.report.row(
        "a snapshot beside a viewer is of the camera that is open already",
        good and opened == 0 and len(viewer.frames) > count + 10 and not viewer.is_over(), f"{figures}, opened {opened} times",
    )
    await viewer.hang_up()
    closed = await freed(lab)
    good, opened, figures = await taken(lab)
    again = await freed(lab)
    lab.report.row(
        "a snapshot while nobody watches opens the camera and closes it", closed is not None and good and opened == 1 and again is not None,
        f"{figures}, opened {opened} times, closed after {again and round(again, 2)} s",
    )
