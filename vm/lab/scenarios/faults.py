"""What a camera can do wrong while somebody watches, one fault after the other in one call."""


from ..report import spread
from .plug import PLUG, UNPLUG

# How long a fault lasts that has a length.
LASTS = 3


def control(name, value=1):
    return f"v4l2-ctl -d $(ls /dev/video[0-9] | head -n 1) -c {name}={value}"


def twice(script):
    return f"{script}; sleep 1; {script}"


# A name, what makes it, what ends it ("" where it ends by itself).
KINDS = [
    ("every tenth frame is lost", control("percentage_of_dropped_buffers", 10), control("percentage_of_dropped_buffers", 0)),
    ("half of the frames are lost", control("percentage_of_dropped_buffers", 50), control("percentage_of_dropped_buffers", 0)),
    ("nine of ten frames are lost", control("percentage_of_dropped_buffers", 90), control("percentage_of_dropped_buffers", 0)),
    ("all frames are lost: a frozen camera", control("percentage_of_dropped_buffers", 100), control("percentage_of_dropped_buffers", 0)),
    ("a frame is flagged as broken", control("inject_v4l2_buf_flag_error"), ""),
    ("many frames are flagged as broken", "for i in 1 2 3 4 5 6; do " + control("inject_v4l2_buf_flag_error") + "; sleep 0.3; done", ""),
    ("the driver disconnects", control("disconnect"), ""),
    ("the driver disconnects twice", twice(control("disconnect")), ""),
    ("streaming ends with a fatal error", control("inject_fatal_streaming_error"), ""),
    ("a fatal error, twice", twice(control("inject_fatal_streaming_error")), ""),
    ("buffers are refused at the next start", control("inject_vidioc_reqbufs_error") + "; " + control("inject_fatal_streaming_error"), ""),
    ("queueing is refused at the next start", control("inject_vidioc_qbuf_error") + "; " + control("inject_fatal_streaming_error"), ""),
    ("queueing is refused while it runs", control("inject_vidioc_qbuf_error"), ""),
    ("streaming is refused at the next start", control("inject_vidioc_streamon_error") + "; " + control("inject_fatal_streaming_error"), ""),
    ("the sequence number wraps", control("wrap_sequence_number", 1), control("wrap_sequence_number", 0)),
    ("timestamps wrap", control("wrap_timestamp", 2), control("wrap_timestamp", 0)),
    ("the frame rate falls", control("reduced_framerate"), control("reduced_framerate", 0)),
    ("unplugged for a moment", f"{UNPLUG}; {PLUG}", ""),
    ("unplugged for long", UNPLUG, PLUG),
    ("unplugged in the middle of another fault", control("percentage_of_dropped_buffers", 100) + f"; sleep 1; {UNPLUG}; sleep 1; {PLUG}", ""),
    ("back, and at once a fatal error", f"{UNPLUG}; sleep 1; {PLUG}; sleep 0.3; " + control("inject_fatal_streaming_error"), ""),
    ("back, and streaming is refused", f"{UNPLUG}; sleep 1; {PLUG}; " + control("inject_vidioc_streamon_error"), ""),
    ("the driver is gone and loaded again", "echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind; sleep 1; echo vivid.0 > /sys/bus/platform/drivers/vivid/bind; udevadm settle", ""),
    ("another program takes the camera when it is back",
     f"{UNPLUG}; sleep 1; {PLUG}; timeout 3 v4l2-ctl -d $(ls /dev/video[0-9] | head -n 1) --stream-mmap --stream-count=30 > /dev/null 2>&1; true", ""),
]

# With the HDMI input: what its cable can do.
SIGNALS = [("no signal", 1), ("no lock", 2), ("a signal out of range", 3)]


async def kinds(lab):
    await lab.configure()
    viewer = await lab.watch()
    await lab.settle(viewer)
    back = []
    for name, make, end in KINDS:
        if viewer.is_over():
            lab.report.row(f"fault: {name}", False, f"there is no call any more: {viewer.is_over()}")
            viewer = await lab.watch()
            await lab.settle(viewer)
        back.append(await one(lab, viewer, name, make, end))
    lab.report.row(f"{len(KINDS)} kinds of faults of the camera in one call", viewer.is_over() is None, f"picture back: {spread([b for b in back if b is not None])}")
    await viewer.hang_up()
    await no_signal(lab)


async def one(lab, viewer, name, make, end):
    """One fault. Seconds until the picture was back after its end; `None` if it never was."""
    mark, begun = await lab.mark(), lab.now
    try:
        await lab.run(make)
    except Exception as refused:
        lab.report.say(f"  {name}: {str(refused)[-300:]}")
    await lab.sleep(LASTS if end else 1)
    other = any(lab.shows_other(f) for f in viewer.frames if f.at > begun)
    count = sum(f.at > begun for f in viewer.frames)
    rate = count / (lab.now - begun)
    if end:
        await lab.run(end)
    ended = lab.now
    # Two in a row, so that the last picture of before does not count.
    seen = await viewer.until(lambda f: f.at > ended + 0.1 and lab.shows_camera(f), 30)
    took = max(0.0, seen.at - ended) if seen else None
    words = [line.split("]: ", 1)[-1] for line in (await lab.said_since(mark)).splitlines() if "porthole" in line and ("WARN" in line or "ERROR" in line)]
    figures = f"{rate:.0f} frames/s meanwhile, {'the lost picture' if other else 'the camera all along'}; back " + (f"{took:.2f} s" if seen else "never")
    lab.report.row(f"fault: {name}", seen is not None and viewer.is_over() is None, figures + (f"; call over: {viewer.is_over()}" if viewer.is_over() else ""))
    for line in words[:2]:
        lab.report.say(f"        {line[:220]}")
    return took


async def no_signal(lab):
    """The camera's other input is HDMI, and its cable gives nothing for a while."""
    # Whatever number it has come back under, and whoever still has it open.
    await lab.run(f"systemctl stop porthole; {UNPLUG}; sleep 1; {PLUG}; udevadm settle; v4l2-ctl -d /dev/video0 -i 1")
    try:
        await lab.configure()
        viewer = await lab.watch()
        await lab.settle(viewer)
        for name, value in SIGNALS:
            await one(lab, viewer, f"HDMI: {name}", control("dv_timings_signal_mode", value), control("dv_timings_signal_mode", 0))
        await viewer.hang_up()
    finally:
        await lab.run("systemctl stop porthole; v4l2-ctl -d $(ls /dev/video[0-9] | head -n 1) -i 0; true")
