"""What a camera can do wrong while somebody watches, one fault after the other in one call."""

import re
from typing import NamedTuple

from .. import pictures
from ..machine import Failed
from ..report import spread
from .plug import PLUG, UNPLUG

# How long a fault lasts that has a length.
LASTS = 3
# As long as the picture may take to be back after its end, and how many frames in a row then have to be the camera's.
BACK, AGAIN = 2.0, 5
# What the log has to say where the slate was shown: that it failed, and a reason in words.
SAID = re.compile(r"the camera failed: .*\w+ \w+ \w+|the camera gives no first picture")


def control(name, value=1):
    return f"v4l2-ctl -d $(ls /dev/video[0-9] | head -n 1) -c {name}={value}"


def twice(script):
    return f"{script}; sleep 1; {script}"


class Fault(NamedTuple):
    """What makes it, and what ends it ("" where it ends by itself), and what it does to the camera."""

    name: str
    make: str
    end: str = ""
    does: str | None = None


# Nothing: it is seen all along. It is lost: the log says so, and why; whether the slate is seen, too, is a matter of how soon
# it is back. It is gone: the slate has to be seen. `None` is any of them.
NOTHING, LOST, GONE = "nothing", "lost", "gone"


def dropped(percent):
    return control("percentage_of_dropped_buffers", percent)


FATAL = control("inject_fatal_streaming_error")

KINDS = [
    Fault("every tenth frame is lost", dropped(10), dropped(0), does=NOTHING),
    Fault("half of the frames are lost", dropped(50), dropped(0), does=NOTHING),
    Fault("nine of ten frames are lost", dropped(90), dropped(0)),
    Fault("all frames are lost: a frozen camera", dropped(100), dropped(0), does=GONE),
    Fault("a frame is flagged as broken", control("inject_v4l2_buf_flag_error"), does=NOTHING),
    Fault("many frames are flagged as broken", "for i in 1 2 3 4 5 6; do " + control("inject_v4l2_buf_flag_error") + "; sleep 0.3; done"),
    Fault("the driver disconnects", control("disconnect"), does=LOST),
    Fault("the driver disconnects twice", twice(control("disconnect")), does=LOST),
    Fault("streaming ends with a fatal error", FATAL, does=LOST),
    Fault("a fatal error, twice", twice(FATAL), does=LOST),
    Fault("buffers are refused at the next start", control("inject_vidioc_reqbufs_error") + "; " + FATAL, does=LOST),
    Fault("queueing is refused at the next start", control("inject_vidioc_qbuf_error") + "; " + FATAL, does=LOST),
    Fault("queueing is refused while it runs", control("inject_vidioc_qbuf_error")),
    Fault("streaming is refused at the next start", control("inject_vidioc_streamon_error") + "; " + FATAL, does=LOST),
    Fault("the sequence number wraps", control("wrap_sequence_number", 1), control("wrap_sequence_number", 0), does=NOTHING),
    Fault("timestamps wrap", control("wrap_timestamp", 2), control("wrap_timestamp", 0), does=NOTHING),
    Fault("the frame rate falls", control("reduced_framerate"), control("reduced_framerate", 0), does=NOTHING),
    Fault("unplugged for a moment", f"{UNPLUG}; {PLUG}"),
    Fault("unplugged for long", UNPLUG, PLUG, does=GONE),
    Fault("unplugged in the middle of another fault", dropped(100) + f"; sleep 1; {UNPLUG}; sleep 1; {PLUG}", does=GONE),
    Fault("back, and at once a fatal error", f"{UNPLUG}; sleep 1; {PLUG}; sleep 0.3; {FATAL}", does=GONE),
    Fault("back, and streaming is refused", f"{UNPLUG}; sleep 1; {PLUG}; " + control("inject_vidioc_streamon_error"), does=GONE),
    Fault("the driver is gone and loaded again", f"{UNPLUG}; sleep 1; {PLUG}; udevadm settle", does=GONE),
    # The other one is let in, or is told that it is taken: either way it has tried.
    Fault("another program takes the camera when it is back",
          f"{UNPLUG}; sleep 1; {PLUG}; timeout 3 v4l2-ctl -d $(ls /dev/video[0-9] | head -n 1) --stream-mmap --stream-count=30 > /dev/null 2>&1 || true",
          does=LOST),
]

# With the HDMI input: what its cable can do.
SIGNALS = [("no signal", 1), ("no lock", 2), ("a signal out of range", 3)]


async def kinds(lab):
    await lab.configure()
    viewer = await lab.watch()
    await lab.settle(viewer)
    took, one_call = [], True
    for fault in KINDS:
        if viewer.is_over():
            lab.report.row(f"fault: {fault.name}", False, f"there is no call any more: {viewer.is_over()}")
            one_call = False
            viewer = await lab.watch()
            await lab.settle(viewer)
        took.append(await one(lab, viewer, fault))
    good = [seconds for seconds in took if seconds is not None]
    lab.report.row(
        f"{len(KINDS)} kinds of faults of the camera in one call", one_call and len(good) == len(KINDS) and viewer.is_over() is None,
        f"{len(good)} of them as they should be; picture back: {spread(good)}",
    )
    await viewer.hang_up()
    await no_signal(lab)


async def one(lab, viewer, fault):
    """One fault. Seconds until the picture was back after its end; `None` where anything about it was not as it should be."""
    mark, begun, wrong = await lab.mark(), lab.now, []
    try:
        await lab.run(f"set -e; {fault.make}")
    except Failed as refused:
        wrong.append("it could not be made")
        lab.report.say(f"  {fault.name}: {str(refused)[-300:]}")
    await lab.sleep(LASTS if fault.end else 1)
    count = sum(f.at > begun for f in viewer.frames)
    rate = count / (lab.now - begun)
    if fault.end:
        await lab.run(fault.end)
    ended = lab.now
    seen = await viewer.until(lambda f: f.at > ended + 0.1 and lab.shows_camera(f), 30)
    took = max(0.0, seen.at - ended) if seen else None
    if seen is None or took > BACK:
        wrong.append(f"the picture is not back within {BACK:.0f} s")
    # What comes then is the camera's, and stays so.
    await lab.machine.until(lambda: sum(f.at > seen.at for f in viewer.frames) >= AGAIN if seen else True, LASTS)
    after = [f for f in viewer.frames if seen and f.at > seen.at][:AGAIN]
    if len(after) < AGAIN or not all(map(lab.shows_camera, after)):
        wrong.append("it does not stay")
    if viewer.is_over():
        wrong.append(f"the call is over: {viewer.is_over()}")
    slate = any(f.shows(pictures.slate) for f in viewer.frames if f.at > begun)
    words = await lab.warned_since(mark)
    if fault.does == GONE and not slate:
        wrong.append("no slate was shown")
    if fault.does == NOTHING and (slate or any("the camera failed" in line for line in words)):
        wrong.append("the camera was lost")
    if (slate or fault.does in (LOST, GONE)) and not any(SAID.search(line) for line in words):
        wrong.append("nobody said why")
    figures = f"{rate:.0f} frames/s meanwhile, {'the slate' if slate else 'the camera all along'}; back " + (f"{took:.2f} s" if seen else "never")
    lab.report.row(f"fault: {fault.name}", not wrong, "; ".join([figures] + wrong))
    for line in words[:2]:
        lab.report.say(f"        {line[:220]}")
    return None if wrong else took


async def no_signal(lab):
    """The camera's other input is HDMI, and its cable gives nothing for a while."""
    # Whatever number it has come back under, and whoever still has it open.
    await lab.run(f"systemctl stop porthole; {UNPLUG}; sleep 1; {PLUG}; udevadm settle; v4l2-ctl -d /dev/video0 -i 1")
    try:
        await lab.configure()
        viewer = await lab.watch()
        await lab.settle(viewer)
        for name, value in SIGNALS:
            await one(lab, viewer, Fault(f"HDMI: {name}", control("dv_timings_signal_mode", value), control("dv_timings_signal_mode", 0)))
        await viewer.hang_up()
    finally:
        await lab.run("systemctl stop porthole; v4l2-ctl -d $(ls /dev/video[0-9] | head -n 1) -i 0; true")
