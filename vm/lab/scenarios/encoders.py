"""What the camera gives, by what encodes it; and encoders that fail in service."""


# Name of the source, its device, and what feeds it.
SOURCES = [
    ("raw", "/dev/video0", ""),
    ("MJPEG", "/dev/video20", "feed /dev/video20 MJPG 640 480 25 /usr/lib/firmware/feed/mjpeg.frames"),
    ("H.264", "/dev/video21", "feed /dev/video21 H264 640 480 25 /usr/lib/firmware/feed/h264.frames"),
]
ENCODERS = [("v4l2h264enc", "H264"), ("x264enc", "H264"), ("openh264enc", "H264"), ("x264enc", "VP8")]
FAULT = "/sys/module/testcodec/parameters"
SECONDS = 4
# As long as a picture may be away when one encoder takes another's place.
TARGET = 3.0


async def received(viewer):
    stats = (await viewer.peer.getStats()).values()
    return max((s.bytesReceived for s in stats if s.type == "transport"), default=0)


async def table(lab):
    """Source × encoder: whether it is probed, how many frames come out, and what the bit rate is."""
    rows = ["source  encoder        probe                         frames/s  kbit/s  picture"]
    for source, device, feed in SOURCES:
        if feed:
            await lab.run(f"setsid {feed} > /dev/null 2>&1 & sleep 1")
        try:
            for encoder, codec in ENCODERS:
                name = "vp8enc" if codec == "VP8" else encoder
                try:
                    probe, rate, kbits, size = await cell(lab, device, encoder, codec)
                    good = rate > 1
                except Exception as error:
                    probe, rate, kbits, size, good = str(error).split("\n")[0][:60], 0, 0, "none", False
                rows.append(f"{source:7} {name:14} {probe[:28]:28}  {rate:8.1f}  {kbits:6.0f}  {size}")
                lab.report.row(f"{source} through {name}", good, f"{rate:.1f} frames/s, {kbits:.0f} kbit/s, {size}; {probe}")
        finally:
            await lab.run("pkill -f bin/feed; true")
    lab.report.say("\n".join(rows))


async def cell(lab, device, encoder, codec):
    mark = await lab.mark()
    await lab.configure(device=device, encoder=encoder, size=(640, 480), bitrate=800)
    viewer = await lab.watch(codec=codec)
    try:
        await lab.sleep(2)
        begun, count, octets = lab.now, len(viewer.frames), await received(viewer)
        await lab.sleep(SECONDS)
        took = lab.now - begun
        rate, kbits = (len(viewer.frames) - count) / took, (await received(viewer) - octets) * 8 / took / 1000
        size = "x".join(map(str, viewer.frames[-1].size))
    finally:
        await viewer.hang_up()
    said = [line.split("]: ", 1)[-1] for line in (await lab.said_since(mark)).splitlines() if "encoder" in line.lower()]
    return (said[-1] if said else "nothing said"), rate, kbits, size


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
