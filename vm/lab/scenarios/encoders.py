"""What the camera gives, by what encodes it; and encoders that fail in service."""


# What cameras give, and where.
SOURCES = [("raw", "/dev/video0"), ("MJPEG", "/dev/video20"), ("H.264", "/dev/video21")]
# One that gives H.264 at the bit rate that it is told. It is there only while it is needed: others would be taken for it.
RATED = ("H.264*", "/dev/video22")
# vivid's bars take next to no bit rate, and its noise more than there is; faint noise takes what there is.
BUSY = "v4l2-ctl -d /dev/video0 -c test_pattern=21,contrast=10"
CALM = "v4l2-ctl -d /dev/video0 -c test_pattern=0,contrast=128"
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
# As long as a picture may be away when one encoder takes another's place.
TARGET = 3.0


async def received(viewer):
    stats = (await viewer.peer.getStats()).values()
    return max((s.bytesReceived for s in stats if s.type == "transport"), default=0)


async def table(lab):
    """Source × encoder: whether it is probed, how many frames come out, and whether the bit rate changes while it runs."""
    rows = ["source  encoder        probe                         frames/s  picture   kbit/s  then  picture"]
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
    try:
        figures = await cell(lab, device, encoder, codec)
    except Exception as error:
        lab.report.row(f"{source} through {name}", False, str(error).split("\n")[0])
        rows.append(f"{source:7} {name:14} {str(error)[:60].splitlines()[0]}")
        return
    probe, rate, size, kbits, then, last, small, lost, over = figures
    # What the camera encodes itself has the bit rate that the camera gives it: for less there is the small picture, until it
    # is found out, again and again, that the way only says that it is narrow.
    less = small if fixed else last == size and then < kbits * (LESS + 25) / 100
    good = rate > 1 and size == "640x480" and less and then > 0 and not lost and not over
    rows.append(f"{source:7} {name:14} {probe[:28]:28}  {rate:8.1f}  {size:8}  {kbits:6.0f}  {then:4.0f}  {last}")
    if not good:
        lab.report.say(await lab.journal("-30s"))
    lab.report.row(f"{source} through {name}", good, f"{rate:.1f} frames/s, {size}, {kbits:.0f} kbit/s, then {then:.0f} in {last}{', the small picture meanwhile' if small else ''}; {probe}{f'; call over: {over}' if over else ''}")


async def cell(lab, device, encoder, codec):
    mark = await lab.mark()
    await lab.configure(device=device, encoder=encoder, size=(640, 480), bitrate=BITRATE)
    viewer = await lab.watch(codec=codec)
    try:
        await lab.sleep(2)
        rate, kbits, size = await measured(lab, viewer)
        # The way is said to carry more than enough, and then less.
        viewer.estimate.kbit = int(max(kbits, BITRATE) * 1.5)
        await lab.sleep(SETTLES)
        viewer.estimate.kbit, lowered = int(kbits * LESS / 100), lab.now
        then, last = min([(await measured(lab, viewer))[1:] for _ in range(WINDOWS)])
        small = any(frame.size == SMALL for frame in viewer.frames if frame.at > lowered)
        over = viewer.is_over()
    finally:
        await viewer.hang_up()
    journal = [line.split("]: ", 1)[-1] for line in (await lab.said_since(mark)).splitlines()]
    # The picture that says so has frames and a bit rate, too.
    lost = any("the camera failed" in line or "encoder failed" in line for line in journal)
    said = [line for line in journal if line.startswith("encoder")]
    return (said[-1] if said else "nothing said"), rate, size, kbits, then, last, small, lost, over


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
        viewer = await lab.watch()
        try:
            await lab.sleep(3)
            used = int(await lab.run(f"cat {FAULT}/frames_out"))
            await lab.sleep(1)
            used = int(await lab.run(f"cat {FAULT}/frames_out")) - used
            broken = lab.now
            await lab.run(make)
            await lab.sleep(8)
            gap = longest_gap([f.at for f in viewer.frames if f.at > broken - 1], broken + 8)
            later = sum(f.at > broken + 6 for f in viewer.frames)
            over = viewer.is_over()
            lab.report.row(
                f"encoder that {name}", used > 0 and not over and later > 5 and gap <= TARGET,
                f"{used} frames/s of it before, longest gap {gap:.2f} s, {later / 2:.0f} frames/s after" + (f", over: {over}" if over else ""),
            )
            for line in (await lab.said_since(mark)).splitlines():
                if "WARN" in line or "encoder" in line.lower():
                    lab.report.say(f"        {line.split(']: ', 1)[-1][:220]}")
        finally:
            await lab.run(f"echo 0 > {FAULT}/hang; echo 0 > {FAULT}/fail_after; echo 2000 > {FAULT}/us_per_frame")
            await viewer.hang_up()


def longest_gap(times, end):
    times = times + [end]
    return max((b - a for a, b in zip(times, times[1:])), default=float("inf"))
