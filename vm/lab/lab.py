"""The camera under test: how it is configured, called and looked into. Must not know which faults there are."""

import asyncio
import json
import statistics
import urllib.error
import urllib.request

from . import pictures
from .machine import WEB, Failed
from .viewer import Viewer

# Mean difference a point, of 255, from which on two pictures are of different things. A camera's own noise, the clock in
# its corner and the encoder make less than 10.
OTHER = 18.0
# Only bounds a hang; what matters is how long it took, and that is reported.
LIMIT = 60.0

WEBCAM = """
[room]
access = "open"
idle_after = 2
[relay]
{relay}
[video]
source = "v4l2"
device = "{device}"
width = {width}
height = {height}
framerate = 15
bitrate = {bitrate}
encoder = "{encoder}"
{video}
[audio]
source = "{sound}"
device = "hw:CARD=Loopback,DEV=1"
{audio}
"""
# An allocator that keeps nothing for later: small pieces that GLib (before 2.76, in Debian 12) and the C library hold ready
# for each thread count as allocated, and their number follows which thread happened to free what. What a daemon holds on to
# is only seen without them.
KEEPS_NOTHING = {"G_SLICE": "always-malloc", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
# A picture on its way is there in one moment and gone in the next, so what is allocated is looked at so often.
LOOKS = 11
# What feeds the cameras whose pictures come from a program, by what they give.
FEEDS = {
    "MJPEG": "feed /dev/video20 MJPG 640 480 25 /usr/lib/firmware/feed/mjpeg.frames",
    "H.264": "feed /dev/video21 H264 640 480 25 /usr/lib/firmware/feed/h264.frames",
}
OWN_RELAY = """listen = "0.0.0.0:8080"
tls = "off\""""


class Lab:
    def __init__(self, machine, report):
        self.machine, self.report = machine, report
        self.url = f"http://127.0.0.1:{machine.ports[WEB]}"
        self.camera = None

    async def run(self, script):
        return await self.machine.run(script)

    async def sleep(self, seconds):
        await self.machine.sleep(seconds)

    @property
    def now(self):
        return self.machine.now

    async def environment(self, variables):
        """Sets these of the service's, from its next start on, and none of those that were set like this before."""
        lines = "".join(f"Environment={name}={value}\n" for name, value in variables.items())
        await self.run("mkdir -p /run/systemd/system/porthole.service.d; cat > /run/systemd/system/porthole.service.d/lab.conf <<'UNIT'\n"
                       f"[Service]\n{lines}UNIT\nsystemctl daemon-reload")

    async def configure(self, device="/dev/video0", encoder="x264enc", sound="test", size=(320, 180), bitrate=400, relay=OWN_RELAY,
                        video="", audio=""):
        """Writes a configuration and starts the service with it; `video` and `audio` are more lines of those sections. The
        picture is small: the processor is emulated."""
        width, height = size
        text = WEBCAM.format(device=device, encoder=encoder, sound=sound, width=width, height=height, bitrate=bitrate, relay=relay,
                             video=video, audio=audio)
        await self.run(f"cat > /etc/porthole/porthole.toml <<'TOML'{text}TOML\nsystemctl reset-failed porthole; systemctl restart porthole")
        await self.answers()

    async def feed(self, *names):
        """Feeds these cameras until `starve`. v4l2loopback does not always take another program's pictures after the first
        one's end, so it is loaded anew, for which nobody may have it open."""
        feeds = "".join(f"setsid {FEEDS[name]} > /tmp/feed.log 2>&1 &\n" for name in names)
        await self.run(f"systemctl stop porthole; modprobe -r v4l2loopback; modprobe v4l2loopback; udevadm settle\n{feeds}"
                       f"sleep 2; [ $(pgrep -c -f bin/feed) = {len(names)} ] || {{ cat /tmp/feed.log; exit 1; }}")

    async def starve(self):
        await self.run("pkill -f bin/feed; true")

    async def answers(self, limit=LIMIT):
        """Waits until the page of the daemon answers. Seconds that took."""
        begun = self.now
        while self.now - begun < limit:
            try:
                await asyncio.to_thread(lambda: urllib.request.urlopen(f"{self.url}/healthz", timeout=60).read())
                return self.now - begun
            except urllib.error.HTTPError:
                return self.now - begun  # it answers, and says that something is wrong
            except OSError:
                await asyncio.sleep(0.05)
        raise Failed(f"/healthz does not answer within {limit} s:\n{await self.journal()}")

    async def watch(self, shows=pictures.bars, **options):
        """A viewer that is connected and sees what is wanted, a kind of `pictures`: the camera's picture, unless another is named."""
        viewer = Viewer(self.machine, self.url, **options)
        viewer.took = await viewer.call(LIMIT)
        first = await viewer.until(lambda frame: frame.shows(shows), LIMIT)
        if first is None:
            seen = ", ".join(sorted({pictures.named(frame.points) for frame in viewer.frames})) or "nothing"
            await viewer.hang_up()
            raise Failed(f"connected, and {seen} where {shows.__name__} should be:\n{await self.journal()}")
        viewer.first = first.at - viewer.offered
        return viewer

    async def settle(self, viewer, seconds=2):
        """Watches for a while, and takes what is seen then for what the camera's picture is compared with; it has to be that."""
        await self.sleep(seconds)
        self.camera = viewer.frames[-1]
        if not self.camera.shows(pictures.bars):
            raise Failed(f"{pictures.named(self.camera.points)} where the camera's bars should be:\n{await self.journal()}")

    def shows_camera(self, frame):
        return frame.differs(self.camera) < OTHER

    def shows_other(self, frame):
        return not self.shows_camera(frame)

    async def journal(self, since="-5min", grep=""):
        """What the daemon logged."""
        return await self.run(f"journalctl -q -u porthole -o cat --since='{since}' {grep} | tail -n 60; true")

    async def mark(self):
        """A moment by the machine's date, for `said_since`."""
        return (await self.run("date +%s.%6N")).strip()

    async def said_since(self, mark, form="short-iso-precise", least="debug"):
        """What it logged since then, of this priority at least; the priority is no part of a line."""
        return await self.run(f"journalctl -q -u porthole -p {least} -o {form} --since='@{mark}'; true")

    async def warned_since(self, mark):
        """What a person should act on, of what it logged since then: the words of each line."""
        lines = (await self.said_since(mark, least="warning")).splitlines()
        return [line.split("]: ", 1)[-1] for line in lines if "porthole[" in line]

    async def process(self):
        """Process id, what the daemon has allocated and what is resident of it in KiB, its file descriptors and threads."""
        said = await self.run(
            "p=$(systemctl show -P MainPID porthole); "
            "echo $p $(sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$p/status) $(ls /proc/$p/fd | wc -l) $(ls /proc/$p/task | wc -l); "
            f"for i in $(seq {LOOKS}); do porthole status --json | tr -d '\\n'; echo; done"
        )
        counts, *reports = said.strip().split("\n")
        counted = dict(zip(["pid", "rss_kib", "fds", "threads"], map(int, counts.split())))
        heaps = [(json.loads(report)["heap"] or 0) // 1024 for report in reports]
        return counted | {"heap_kib": int(statistics.median(heaps))}
