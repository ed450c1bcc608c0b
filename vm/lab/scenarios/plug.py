"""The camera is pulled out and plugged in again, over and over, while somebody watches."""

import os

from .. import pictures
from ..lab import KEEPS_NOTHING
from ..report import spread

UNPLUG = "echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind"
PLUG = "echo vivid.0 > /sys/bus/platform/drivers/vivid/bind"
# As long as it may take until the loss is seen, and the picture to be back.
NOTICED, TARGET = 3.0, 2.0
# What is counted where it never came.
NEVER = 99.0
# After so many cycles everything is loaded that is loaded once, and this much more may be allocated at the end, in KiB: a
# picture is 84 KiB, and one or the other is on its way in the moment when it is counted.
FIRST, GROWN = 10, 256


async def cycles(lab):
    count = int(os.environ.get("CYCLES", "10"))
    await lab.environment(KEEPS_NOTHING)
    try:
        await lab.configure()
        await cycled(lab, count)
    finally:
        await lab.environment({})


async def cycled(lab, count):
    viewer = await lab.watch()
    await lab.settle(viewer)
    noticed, back, numbers = [], [], []
    before = None
    for cycle in range(count):
        if cycle == min(FIRST, count // 2):
            before = await lab.process()
        pulled = lab.now
        await lab.run(UNPLUG)
        lost = await viewer.until(lambda f: f.at > pulled and f.shows(pictures.slate), 20)
        noticed.append(lost.at - pulled if lost else NEVER)
        await lab.sleep(0.5)
        told = lab.now
        await lab.run(PLUG)
        plugged = lab.now
        numbers.append((await lab.run("ls /dev/video?")).split())
        there = await viewer.until(lambda f: f.at > told and lab.shows_camera(f), 30)
        back.append(max(0.0, there.at - plugged) if there else NEVER)
        lab.report.say(f"  cycle {cycle + 1}: lost picture after {noticed[-1]:.2f} s, back {back[-1]:.2f} s after the camera was")
        if viewer.is_over():
            break
        if cycle % 20 == 19:
            lab.report.say(f"  {await lab.process()}")
        await lab.sleep(0.5)
    after = await lab.process()
    before = before or after
    over, ended = viewer.is_over(), lab.now
    lab.report.row(f"a call outlives {count} times unplugged", not over and len(back) == count, over or "")
    # What a number is in use for is not given to the next: two at once, or more and more of them, is one that was never let go.
    seen = sorted({number for found in numbers for number in found})
    lab.report.row("each time it is one camera, under one of two numbers", all(len(found) == 1 for found in numbers) and len(seen) <= 2, ", ".join(seen))
    lab.report.row(f"the picture says within {NOTICED:.0f} s that the camera is lost", max(noticed) <= NOTICED, spread(noticed))
    late = sum(seconds > TARGET for seconds in back)
    lab.report.row(f"the picture is back within {TARGET:.0f} s", late == 0, f"{spread(back)}, {late} later")
    grown = {name: after[name] - before[name] for name in before if name != "pid"}
    await lab.sleep(2)
    last = [frame for frame in viewer.frames if frame.at > ended]
    whole = len(last) > 5 and all(frame.shows(pictures.bars) for frame in last)
    lab.report.row("and in the end it is the camera's", whole, f"{len(last)} frames in 2 s, the last of {pictures.named(viewer.frames[-1].points)}")
    # What is resident beside what is allocated is the allocator's to keep.
    calm = before["pid"] == after["pid"] and grown["fds"] <= 3 and grown["threads"] <= 3 and grown["heap_kib"] <= GROWN
    lab.report.row("nothing grows by it", calm, f"{before} then {grown} more")
    await viewer.hang_up()
