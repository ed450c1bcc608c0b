"""Nobody watches: the camera is closed, next to nothing is used, and the first picture after that is there at once."""

# How long it is watched doing nothing.
SECONDS = 60
# What it may take of a core, in percent, and how long the first picture may take; and how long after the connection where the
# camera is open all the time.
TARGET, SOON, AT_ONCE = 0.1, 1.0, 0.5
# The most memory (PSS) that it has while nobody watches, and with one viewer of 640x480 from x264, in MiB.
CLOSED_MIB, WATCHED_MIB = 20, 45
HOLDERS = "fuser /dev/video0 2> /dev/null; true"
MEMORY = "p=$(systemctl show -P MainPID porthole); sed -n 's/^Pss: *\\([0-9]*\\) kB/\\1/p' /proc/$p/smaps_rollup"
USED = "sed -n 's/^usage_usec //p' /sys/fs/cgroup/system.slice/porthole.service/cpu.stat"


async def idle(lab):
    await lab.configure()
    await (await lab.watch()).hang_up()
    # It lingers for two seconds, and gives memory back after ten more.
    await lab.sleep(15)
    holders = (await lab.run(HOLDERS)).strip()
    before, used = lab.now, int(await lab.run(USED))
    await lab.sleep(SECONDS)
    used, took = int(await lab.run(USED)) - used, lab.now - before
    share = used / took / 10_000
    closed = await memory(lab)
    lab.report.row("the camera is closed while nobody watches", not holders, holders)
    lab.report.row(f"and at most {TARGET} % of a core is used", share <= TARGET, f"{share:.3f} % in {took:.0f} s")
    await lab.configure(size=(640, 480))
    viewer = await lab.watch()
    # What only a beginning needs has been left by then.
    await lab.sleep(10)
    watched = await memory(lab)
    await viewer.hang_up()
    await lab.sleep(15)
    lab.report.row(
        f"it takes {CLOSED_MIB} MiB at most while nobody watches, and {WATCHED_MIB} with a viewer and x264",
        closed <= CLOSED_MIB and watched <= WATCHED_MIB, f"PSS {closed:.1f} and {watched:.1f} MiB",
    )
    firsts = []
    for _ in range(3):
        viewer = await lab.watch()
        firsts.append(viewer.first)
        await viewer.hang_up()
        await lab.sleep(4)
    figures = ", ".join(f"{first:.2f}" for first in firsts)
    lab.report.row(f"the first picture after that is there within {SOON:.0f} s", max(firsts) <= SOON, f"{figures} s after the offer")


async def memory(lab):
    """PSS of the service, in MiB."""
    return int(await lab.run(MEMORY)) / 1024


async def warm(lab):
    """With `video.keep_warm` the camera stays open, and its picture is there with the connection."""
    await lab.configure(video="keep_warm = true")
    await (await lab.watch()).hang_up()
    # It would have lingered for two seconds.
    await lab.sleep(10)
    mark, holders = await lab.mark(), (await lab.run(HOLDERS)).strip()
    lab.report.row("a camera that is kept warm stays open", bool(holders), holders or "nobody has it open")
    firsts, after = [], []
    for _ in range(3):
        viewer = await lab.watch()
        firsts.append(viewer.first)
        after.append(viewer.first - viewer.took)
        await viewer.hang_up()
        await lab.sleep(4)
    opened = (await lab.said_since(mark)).count("camera /dev/video0 ")
    figures = ", ".join(f"{first:.2f}" for first in firsts)
    lab.report.row(
        f"and its first picture is there within {AT_ONCE} s of the connection", max(after) <= AT_ONCE and max(firsts) <= SOON and opened == 0,
        f"{figures} s after the offer, {max(after):.2f} s after the connection at most, opened {opened} times",
    )
