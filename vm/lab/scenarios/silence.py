"""What stops without a word: each is noticed, and said in words with what to do."""

from .. import pictures
from .faults import control
from .encoders import FAULT

TARGET = 3.0
TONE = "setsid gst-launch-1.0 -q audiotestsrc is-live=true volume=0.5 ! audio/x-raw,rate=48000,channels=2 ! alsasink device=hw:CARD=Loopback,DEV=0 > /dev/null 2>&1 &"
HEARS = {"sound": "alsa"}
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
