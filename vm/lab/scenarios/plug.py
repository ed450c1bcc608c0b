"""The camera is pulled out and plugged in again, over and over, while somebody watches."""

import os

from ..lab import KEEPS_NOTHING
from ..report import spread

UNPLUG = "echo vivid.0 > /sys/bus/platform/drivers/vivid/unbind"
PLUG = "echo vivid.0 > /sys/bus/platform/drivers/vivid/bind"
# As long as a picture may take to be back.
TARGET = 2.0
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
    noticed, back, numbers = [], [], set()
    before = None
    for cycle in range(count):
        if cycle == min(FIRST, count // 2):
            before = await lab.process()
        pulled = lab.now
        await lab.run(UNPLUG)
        lost = await viewer.until(lambda f: f.at > pulled and lab.shows_other(f), 20)
        noticed.append(lost.at - pulled if lost else 20.0)
        await lab.sleep(0.5)
        told = lab.now
        await lab.run(PLUG)
        plugged = lab.now
        numbers.add((await lab.run("ls /dev/video? | tr '\\n' ' '")).strip())
        there = await viewer.until(lambda f: f.at > told and lab.shows_camera(f), 30)
        back.append(max(0.0, there.at - plugged) if there else 30.0)
        lab.report.say(f"  cycle {cycle + 1}: lost picture after {noticed[-1]:.2f} s, back {back[-1]:.2f} s after the camera was")
        if viewer.is_over():
            break
        if cycle % 20 == 19:
            lab.report.say(f"  {await lab.process()}")
        await lab.sleep(0.5)
    after = await lab.process()
    before = before or after
    over = viewer.is_over()
    lab.report.row(f"a call outlives {count} times unplugged", not over and len(back) == count, over or f"cameras were {sorted(numbers)}")
    lab.report.row("the picture says that the camera is lost", all(seconds < 20 for seconds in noticed), spread(noticed))
    late = sum(seconds > TARGET for seconds in back)
    lab.report.row(f"the picture is back within {TARGET:.0f} s", late == 0, f"{spread(back)}, {late} later")
    grown = {name: after[name] - before[name] for name in before if name != "pid"}
    # What is resident beside what is allocated is the allocator's to keep.
    calm = before["pid"] == after["pid"] and grown["fds"] <= 3 and grown["threads"] <= 3 and grown["heap_kib"] <= GROWN
    lab.report.row("nothing grows by it", calm, f"{before} then {grown} more")
    await viewer.hang_up()
