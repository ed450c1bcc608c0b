"""What comes back, or comes late, while somebody watches: the microphone, the camera under another number, a camera that was not
there at the start."""

from .. import pictures
from ..machine import Failed
from .plug import NOTICED, PLUG, TARGET, UNPLUG
from .privacy import LOUD, loudness
from .silence import CARD, HEARS, TONE, TONE_AGAIN

# As long as it may take until the microphone is heard again, with what is on its way in the viewer.
HEARD = 3.0
# Everything that makes cameras here; and the kernel without it, what it is built on included.
DRIVERS = "vivid v4l2loopback testcodec"
UNLOAD = (f"modprobe -r {DRIVERS}; for layer in $(seq 8); do "
          "rmmod $(lsmod | awk '$3 == 0 && $1 ~ /^(video|v4l2|cec|mc$)/ { print $1 }') 2> /dev/null; done; ! grep video4linux /proc/devices")
# Whoever holds the old device open keeps its number, so the next one gets another.
HOLD = "setsid sleep 600 < /dev/video0 > /dev/null 2>&1 & echo $!"
BY_PATH = "$(ls /dev/v4l/by-path/*vivid*-index0 | head -n 1)"


async def returns(lab):
    await microphone(lab)
    await numbered(lab, "/dev/video0")
    named = (await lab.run(f"echo {BY_PATH}")).strip()
    if not named:
        raise Failed("the camera has no name below /dev/v4l/by-path")
    await numbered(lab, named)
    await late(lab, "without a camera", UNPLUG, PLUG)
    # Not even its driver, so that the kernel knows of no cameras at all when the service starts.
    await lab.run("systemctl stop porthole")
    await late(lab, "without any camera's driver", UNLOAD, "modprobe vivid; udevadm settle")
    await lab.run(f"systemctl stop porthole; modprobe -a {DRIVERS}; udevadm settle")


async def microphone(lab):
    """It is pulled out and put back within a call."""
    await lab.run(TONE)
    try:
        await lab.configure(**HEARS)
        viewer = await lab.watch()
        await lab.sleep(4)
        before = loudness(viewer, lab.now - 1)
        await lab.run(f"pkill gst-launch; echo snd_aloop.0 > {CARD}/unbind")
        await lab.sleep(NOTICED + 2)
        gone = loudness(viewer, lab.now - 1)
        await lab.run(f"echo snd_aloop.0 > {CARD}/bind; udevadm settle; {TONE_AGAIN}")
        back = lab.now
        heard = await lab.machine.until(lambda: any(s.at > back and s.loudness > LOUD for s in viewer.sounds), 30)
        took = next((s.at for s in viewer.sounds if s.at > back and s.loudness > LOUD), back) - back
        await lab.sleep(2)
        after = loudness(viewer, lab.now - 1)
        lab.report.row(
            f"a microphone that comes back is heard again within {HEARD:.0f} s",
            before > LOUD > gone and heard and took <= HEARD and after > before / 2 and not viewer.is_over(),
            (f"after {took:.2f} s" if heard else "never") + f", loudness {before:.0f}, then {gone:.0f}, then {after:.0f}",
        )
        await viewer.hang_up()
    finally:
        await lab.run(f"pkill gst-launch; [ -e {CARD}/snd_aloop.0 ] || echo snd_aloop.0 > {CARD}/bind; true")


async def numbered(lab, name):
    """The camera is called `name` in the configuration, and comes back under another number."""
    await lab.configure(device=name)
    viewer = await lab.watch()
    await lab.settle(viewer)
    holder = (await lab.run(HOLD)).strip()
    try:
        pulled = lab.now
        await lab.run(UNPLUG)
        lost = await viewer.until(lambda f: f.at > pulled and f.shows(pictures.slate), 20)
        await lab.run(PLUG)
        plugged = lab.now
        node = (await lab.run("ls /dev/video? | tail -n 1")).strip()
        seen = await viewer.until(lambda f: f.at > plugged and f.shows(pictures.bars), 30)
        took = seen.at - plugged if seen else None
        lab.report.row(
            f"{name.split('/')[2]}: the camera is found under another number within {TARGET:.0f} s",
            lost is not None and node not in ("", "/dev/video0") and took is not None and took <= TARGET and not viewer.is_over(),
            f"{node}, " + ("never" if took is None else f"after {took:.2f} s") + ("" if lost else ", its loss never shown"),
        )
        await viewer.hang_up()
    finally:
        # With nobody at the old one, it comes back under the old number.
        await lab.run(f"systemctl stop porthole; kill {holder}; {UNPLUG}; sleep 1; {PLUG}; udevadm settle; ls /dev/video0")


async def late(lab, what, unplug, plug):
    """The service starts without a camera, and the camera comes when somebody waits for it."""
    await lab.run(f"systemctl stop porthole; {unplug}")
    plugged = False
    try:
        mark = await lab.mark()
        # A service that is never ready lets its start fail.
        await lab.configure()
        state = await lab.run("systemctl is-active porthole; systemctl show -P StatusText porthole")
        said = await lab.said_since(mark)
        lab.report.row(
            f"{what} the service is up and says so",
            state.startswith("active\n") and "the camera gives no picture" in state and "the camera failed: " in said, ", ".join(state.split("\n")),
        )
        viewer = await lab.watch(shows=pictures.slate)
        await lab.sleep(2)
        others = [pictures.named(f.points) for f in viewer.frames if not f.shows(pictures.slate)]
        await lab.run(plug)
        plugged, since = True, lab.now
        seen = await viewer.until(lambda f: f.at > since and f.shows(pictures.bars), 30)
        took = seen.at - since if seen else None
        lab.report.row(
            f"and shows one within {TARGET:.0f} s of its coming", not others and took is not None and took <= TARGET and not viewer.is_over(),
            ("never" if took is None else f"after {took:.2f} s") + (f"; before that {', '.join(sorted(set(others)))}" if others else ""),
        )
        await viewer.hang_up()
    finally:
        if not plugged:
            await lab.run(plug)
