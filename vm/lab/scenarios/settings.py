"""What the configuration asks of camera and microphone, as it is seen and heard."""

from .. import pictures
from .privacy import LOUD, loudness
from .silence import HEARS, TONE

# In dB, what that makes of the loudness, and how far it may be off.
GAINS, OFF = [(12, 10 ** (12 / 20)), (-12, 10 ** (-12 / 20))], 0.25
CURRENT = "v4l2-ctl -d /dev/video0 -C brightness,horizontal_flip"
# What a camera has been told, it keeps.
RESET = "v4l2-ctl -d /dev/video0 -c brightness=128,horizontal_flip=0"


async def settings(lab):
    await gain(lab)
    try:
        await controls(lab)
    finally:
        await lab.run(f"systemctl stop porthole; {RESET}")


async def gain(lab):
    """How loud the same tone is without a gain and with each."""
    # Quiet enough to be made louder without being cut off.
    # Whoever still has the card open decides how it is opened.
    await lab.run("systemctl stop porthole")
    await lab.run(TONE.replace("volume=0.5", "volume=0.1"))
    try:
        heard = {}
        for decibels in [0] + [decibels for decibels, _ in GAINS]:
            await lab.configure(**HEARS, audio=f"gain = {decibels}")
            viewer = await lab.watch()
            await lab.sleep(4)
            heard[decibels] = loudness(viewer, lab.now - 2)
            await viewer.hang_up()
    finally:
        await lab.run("pkill gst-launch; true")
    for decibels, factor in GAINS:
        made = heard[decibels] / max(heard[0], 1)
        lab.report.row(
            f"audio.gain = {decibels} is heard", heard[0] > LOUD and abs(made / factor - 1) <= OFF,
            f"loudness {heard[0]:.0f}, then {heard[decibels]:.0f}: times {made:.2f} where {factor:.2f} is meant",
        )


async def controls(lab):
    await lab.configure(video="controls = { brightness = 110, horizontal_flip = true }")
    viewer = await lab.watch(shows=pictures.mirrored)
    now = (await lab.run(CURRENT)).split("\n")
    lab.report.row("video.controls are set on the camera, and seen", now[:2] == ["brightness: 110", "horizontal_flip: 1"], ", ".join(filter(None, now)))
    await viewer.hang_up()
    await lab.run(f"systemctl stop porthole; {RESET}")
    mark = await lab.mark()
    await lab.configure(video="controls = { brightness = 999 }")
    viewer = await lab.watch()
    said = [line for line in await lab.warned_since(mark) if "video.controls" in line]
    now = (await lab.run(CURRENT)).split("\n")
    good = any("brightness = 999" in line and "0 to 255" in line for line in said)
    lab.report.row("one that is not allowed is refused with what is, and the picture comes", good and now[0] == "brightness: 128", said[0] if said else "nothing said")
    await viewer.hang_up()
