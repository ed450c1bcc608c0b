"""What the camera gives, by what encodes it; and encoders that fail in service."""

import re
from typing import NamedTuple

from .. import pictures

# What cameras give, and where.
SOURCES = [("raw", "/dev/video0"), ("MJPEG", "/dev/video20"), ("H.264", "/dev/video21")]
# One that gives H.264 at the bit rate that it is told. It is there only while it is needed: others would be taken for it.
RATED = ("H.264*", "/dev/video22")
# vivid's bars take next to no bit rate, and its noise more than there is; faint noise takes what there is. It is brighter than
# what stands in for a lost camera.
BUSY = "v4l2-ctl -d /dev/video0 -c test_pattern=21,contrast=10,brightness=200"
CALM = "v4l2-ctl -d /dev/video0 -c test_pattern=0,contrast=128,brightness=128"
ENCODERS = [("v4l2h264enc", "H264"), ("x264enc", "H264"), ("openh264enc", "H264"), ("x264enc", "VP8")]
CAMERA = "/sys/module/testcamera/parameters"
FAULT = "/sys/module/testcodec/parameters"
SECONDS = 3
# The bit rate in the configuration.
BITRATE = 800
# The small picture beside one of 640x480.
SMALL = (320, 240)
# How long it takes until what was told is believed, what is left of the bit rate when it is lowered, in percent, and for how
# many times `SECONDS` it is looked at then: it is raised again and again as far as what is told allows.
SETTLES = 4
LESS = 50
WINDOWS = 3
# What is left at least, sound included, in percent, and in frames a second: the sound alone is less.
LEFT, MOVES = 8, 1.0
# How the log says what came of trying an encoder.
TRIED = re.compile(r"encoder (?P<encoder>\w+) \(\w+\): (?:(?P<speed>\d+) frames/s)?.*")
# As long as a picture may be away when one encoder takes another's place.
TARGET = 3.0


class Cell(NamedTuple):
    """What was seen of one source through one encoder: how it was tried, frames a second and kbit/s at first and where they were
    fewest when the way carried less, the sizes of the picture; and whatever was not as it should be."""

    probe: str
    rate: float
    size: str
    kbits: float
    then: float
    least: float
    last: str
    small: bool
    wrong: list


async def received(viewer):
    stats = (await viewer.peer.getStats()).values()
    return max((s.bytesReceived for s in stats if s.type == "transport"), default=0)


async def table(lab):
    """Source × encoder: whether it is probed, how many frames come out, and whether the bit rate changes while it runs."""
    rows = ["source  encoder        probe                         frames/s  picture   kbit/s  then  frames/s  picture"]
    await lab.run(BUSY)
    for source, device in SOURCES:
        if source != "raw":
            await lab.feed(source)
        try:
            for encoder, codec in ENCODERS:
                name = "vp8enc" if codec == "VP8" else encoder
                await row(lab, rows, source, device, encoder, codec, name, source == "H.264" and codec == "H264")
        finally:
            await lab.starve()
    await lab.run(CALM)
    await lab.run("modprobe testcamera; udevadm settle")
    try:
        await row(lab, rows, *RATED, *ENCODERS[0], "its own", False)
        told = int(await lab.run(f"cat {CAMERA}/bitrate_now")) // 1000
        lab.report.row("a camera that encodes by itself is told the bit rate", told < BITRATE, f"{told} kbit/s in the end")
        await lab.run(f"systemctl stop porthole; echo 1 > {CAMERA}/stubborn")
        await row(lab, rows, *RATED, *ENCODERS[0], "its own, stubborn", True)
    finally:
        await lab.run("systemctl stop porthole; modprobe -r testcamera")
    lab.report.say("\n".join(rows))


async def row(lab, rows, source, device, encoder, codec, name, fixed):
    """One source through one encoder; `fixed`: whose bit rate is the camera's, and cannot be changed."""
    itself = source.startswith("H.264") and codec == "H264"
    # What encodes in hardware answers with a recorded stream, and so does the camera that is told its bit rate.
    wanted = pictures.recorded if device == RATED[1] or not itself and encoder == "v4l2h264enc" else pictures.other
    try:
        cell = await seen(lab, device, encoder, codec, wanted, itself)
    except Exception as error:
        lab.report.row(f"{source} through {name}", False, str(error).split("\n")[0])
        lab.report.say(str(error))
        rows.append(f"{source:7} {name:14} {str(error)[:60].splitlines()[0]}")
        return
    # What the camera encodes itself has the bit rate that the camera gives it: for less there is the small picture, until it
    # is found out, again and again, that the way only says that it is narrow.
    less = cell.small if fixed else cell.last == cell.size and cell.then < cell.kbits * (LESS + 25) / 100
    wrong = cell.wrong + [what for what, good in [
        ("few frames", cell.rate > MOVES), ("another size", cell.size == "640x480"), ("nothing became less", less),
        ("next to no bit rate then", cell.then >= cell.kbits * LEFT / 100), ("few frames then", cell.least > MOVES),
    ] if not good]
    rows.append(f"{source:7} {name:14} {cell.probe[:28]:28}  {cell.rate:8.1f}  {cell.size:8}  {cell.kbits:6.0f}  {cell.then:4.0f}  {cell.least:8.1f}  {cell.last}")
    if wrong:
        lab.report.say(await lab.journal("-30s"))
    small = ", the small picture meanwhile" if cell.small else ""
    figures = f"{cell.rate:.1f} frames/s, {cell.size}, {cell.kbits:.0f} kbit/s, then {cell.then:.0f} with {cell.least:.1f} frames/s in {cell.last}{small}; {cell.probe}"
    lab.report.row(f"{source} through {name}", not wrong, "; ".join([figures] + wrong))


async def seen(lab, device, encoder, codec, wanted, itself):
    """A call whose way carries less after a while; `wanted`: what its picture has to be, `itself`: whether the camera encodes it."""
    mark, wrong = await lab.mark(), []
    await lab.configure(device=device, encoder=encoder, size=(640, 480), bitrate=BITRATE)
    viewer = await lab.watch(shows=wanted, codec=codec)
    try:
        await lab.sleep(2)
        hardware = await made_by_hardware(lab)
        rate, kbits, size = await measured(lab, viewer)
        hardware = await made_by_hardware(lab) - hardware
        # The way is said to carry more than enough, and then less.
        viewer.estimate.kbit = int(max(kbits, BITRATE) * 1.5)
        await lab.sleep(SETTLES)
        viewer.estimate.kbit, lowered = int(kbits * LESS / 100), lab.now
        windows = [await measured(lab, viewer) for _ in range(WINDOWS)]
        small = any(frame.size == SMALL for frame in viewer.frames if frame.at > lowered)
        if over := viewer.is_over():
            wrong.append(f"call over: {over}")
    finally:
        await viewer.hang_up()
    _, then, last = min(windows, key=lambda window: window[1])
    least = min(frames for frames, *_ in windows)
    journal = [line.split("]: ", 1)[-1] for line in (await lab.said_since(mark)).splitlines()]
    # The picture that says so has frames and a bit rate, too.
    if any("the camera failed" in line or "encoder failed" in line for line in journal):
        wrong.append("the camera or the encoder failed")
    strange = {pictures.named(frame.points) for frame in viewer.frames if frame.size != SMALL and not frame.shows(wanted)}
    if strange:
        wrong.append(f"the picture was {', '.join(sorted(strange))} meanwhile")
    trials = [found for line in journal if (found := TRIED.search(line))]
    probe = trials[-1][0] if trials else "nothing said"
    if not trials or trials[-1]["encoder"] != encoder or float(trials[-1]["speed"] or 0) < MOVES:
        wrong.append("that encoder was not tried, or does not work")
    # It counts what it gives back, so it is seen whether it is what encodes.
    if (hardware > 0) != (encoder == "v4l2h264enc" and not itself):
        wrong.append(f"the encoder in hardware made {hardware} frames")
    return Cell(probe, rate, size, kbits, then, least, last, small, wrong)


async def made_by_hardware(lab):
    return int(await lab.run(f"cat {FAULT}/frames_out"))


async def measured(lab, viewer):
    """Frames a second and kbit/s over a while, and the size of the last picture."""
    begun, count, octets = lab.now, len(viewer.frames), await received(viewer)
    await lab.sleep(SECONDS)
    took = lab.now - begun
    kbits = (await received(viewer) - octets) * 8 / took / 1000
    return (len(viewer.frames) - count) / took, kbits, "x".join(map(str, viewer.frames[-1].size))


async def replaced(lab):
    """The board's own encoder fails in the middle of a call, in three ways; the next one takes its place."""
    for name, make in [
        ("gives no frame any more", f"echo 1 > {FAULT}/hang"),
        ("flags every frame as broken", f"echo 1 > {FAULT}/fail_after"),
        ("takes for ever", f"echo 9000000 > {FAULT}/us_per_frame"),
    ]:
        mark = await lab.mark()
        await lab.configure(encoder="auto")
        viewer = await lab.watch(shows=pictures.recorded)
        try:
            await lab.sleep(3)
            used = await made_by_hardware(lab)
            await lab.sleep(1)
            used = await made_by_hardware(lab) - used
            broken = lab.now
            await lab.run(make)
            await lab.sleep(8)
            gap = longest_gap([f.at for f in viewer.frames if f.at > broken - 1], broken + 8)
            # No recorded stream any more: another encoder shows what the camera sees.
            later = sum(f.at > broken + 6 and f.shows(pictures.bars) for f in viewer.frames)
            over = viewer.is_over()
            lab.report.row(
                f"encoder that {name}", used > 0 and not over and later > 5 and gap <= TARGET,
                f"{used} frames/s of it before, longest gap {gap:.2f} s, {later / 2:.0f} frames/s after" + (f", over: {over}" if over else ""),
            )
            for line in await lab.warned_since(mark):
                lab.report.say(f"        {line[:220]}")
        finally:
            await lab.run(f"echo 0 > {FAULT}/hang; echo 0 > {FAULT}/fail_after; echo 2000 > {FAULT}/us_per_frame")
            await viewer.hang_up()


def longest_gap(times, end):
    times = times + [end]
    return max((b - a for a, b in zip(times, times[1:])), default=float("inf"))
