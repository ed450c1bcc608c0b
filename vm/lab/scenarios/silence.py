"""What stops without a word: each is noticed, and said in words with what to do."""

import asyncio
import json
import urllib.error
import urllib.request

from .. import pictures
from .faults import control
from .encoders import FAULT

TARGET = 3.0
# Until it plays: whoever opens a side of the card first decides what the other has to take, and programs start slowly.
TONE = "setsid gst-launch-1.0 -q audiotestsrc is-live=true volume=0.5 ! audio/x-raw,rate=48000,channels=2 ! alsasink device=hw:CARD=Loopback,DEV=0 > /dev/null 2>&1 &\n" \
    "for i in $(seq 200); do grep -qs RUNNING /proc/asound/card0/pcm0p/sub0/status && break; sleep 0.1; done"
# The same for a microphone that somebody has open already: both sides of the card then have to agree.
TONE_AGAIN = TONE.replace("audio/x-raw,rate=48000,channels=2", "audioconvert ! audioresample")
HEARS = {"sound": "alsa"}
# As long as systemd waits for a sign of life, and some more.
WATCHDOG = 40
# The same process, never started again.
LIVES = "systemctl show -P MainPID -P NRestarts porthole"
CARD = "/sys/bus/platform/drivers/snd_aloop"


async def noticed(lab):
    await once(lab, "a frozen camera", {}, control("percentage_of_dropped_buffers", 100), control("percentage_of_dropped_buffers", 0), ["camera failed"])
    await once(lab, "a hanging encoder", {"encoder": "auto"}, f"echo 1 > {FAULT}/hang", f"echo 0 > {FAULT}/hang", ["encoder failed"])
    await lab.run(TONE)
    try:
        await once(lab, "a microphone that falls silent", HEARS, "pkill gst-launch", "true", ["microphone", "sound"])
        await lab.run(TONE)
        await once(lab, "a microphone that is pulled out", HEARS, f"pkill gst-launch; echo snd_aloop.0 > {CARD}/unbind", f"echo snd_aloop.0 > {CARD}/bind", ["microphone", "sound"])
    finally:
        await lab.run("pkill gst-launch; true")


async def once(lab, what, configuration, make, end, words):
    await lab.configure(**configuration)
    viewer = await lab.watch(shows=pictures.recorded if "encoder" in configuration else pictures.bars)
    await lab.sleep(4)
    loud = [s.loudness for s in viewer.sounds[-10:]]
    mark = await lab.mark()
    # The machine's own clock on both sides.
    begun = float(await lab.run(f"date +%s.%N; {make}"))
    said = None
    for _ in range(40):
        lines = (await lab.said_since(mark, "short-unix")).splitlines()
        said = next((line for line in lines if any(word in line.lower() for word in words)), None)
        if said:
            break
        await lab.sleep(0.25)
    await lab.run(end)
    took = float(said.split()[0]) - begun if said else None
    lab.report.row(
        f"{what} is noticed within {TARGET:.0f} s and said", said is not None and took <= TARGET and not viewer.is_over(),
        (f"after {took:.2f} s" if said else "never said") + (f"; call over: {viewer.is_over()}" if viewer.is_over() else "")
        + (f"; loudness before {sum(loud) / len(loud):.0f}" if loud else ""),
    )
    lab.report.say(f"        {said.split(']: ', 1)[-1][:300]}" if said else await lab.said_since(mark))
    await viewer.hang_up()


async def frozen(lab):
    """A camera that stands still for longer than systemd waits for a service: whoever asks is told, and nothing is started anew."""
    await lab.configure()
    viewer = await lab.watch()
    await lab.settle(viewer)
    before = await lab.run(LIVES)
    well, _ = await asyncio.to_thread(health, lab)
    begun = lab.now
    await lab.run(control("percentage_of_dropped_buffers", 100))
    try:
        told = None
        while lab.now - begun < WATCHDOG:
            code, word = await asyncio.to_thread(health, lab)
            if told is None and (code, word) == (503, "lost"):
                told = lab.now - begun
            await lab.sleep(0.5)
        last = await asyncio.to_thread(health, lab)
        words = (await lab.run("systemctl show -P StatusText porthole")).strip()
        after = await lab.run(LIVES)
        lab.report.row(
            "/healthz says that the camera is frozen, from the third second on", well == 200 and told is not None and told <= TARGET + 1 and last == (503, "lost"),
            f"{well} before, {last[0]} and {last[1]} " + ("never" if told is None else f"after {told:.2f} s") + f"; {words}",
        )
        lab.report.row(
            f"the service is not started anew in {WATCHDOG} s of it", before == after and not viewer.is_over() and viewer.frames[-1].shows(pictures.slate),
            f"{' '.join(before.split())}, then {' '.join(after.split())}",
        )
    finally:
        await lab.run(control("percentage_of_dropped_buffers", 0))
    ended = lab.now
    seen = await viewer.until(lambda f: f.at > ended and lab.shows_camera(f), 30)
    await lab.sleep(2)
    code, word = await asyncio.to_thread(health, lab)
    lab.report.row("and all is well after it", seen is not None and code == 200, (f"picture after {seen.at - ended:.2f} s" if seen else "no picture") + f", {code} and {word}")
    await viewer.hang_up()


def health(lab):
    """How `/healthz` answers, and what it says of the camera."""
    try:
        with urllib.request.urlopen(f"{lab.url}/healthz", timeout=60) as answer:
            return answer.status, json.loads(answer.read())["capture"]
    except urllib.error.HTTPError as unwell:
        return unwell.code, json.loads(unwell.read())["capture"]
