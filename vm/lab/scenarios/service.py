"""What happens to a machine in its life. After each, calls are answered as before."""

import time

from .. import pictures

RELAY = """
[relay]
listen = "0.0.0.0:8080"
tls = "off"
[room]
access = "open"
"""
EXTERNAL = """mode = "external"
url = "http://127.0.0.1:8080"
dialect = "porthole"
listen = "127.0.0.1:8081"
tls = "off\""""


# As long as who calls at once after a start may wait: a new key for the calls takes several times that (in seconds).
SOON = 2.0


async def answered(lab, what, within=None):
    """A call is answered and shows a picture, `within` so many seconds; what it took becomes a row."""
    viewer = await lab.watch()
    several = await lab.machine.until(lambda: sum(frame.shows(pictures.bars) for frame in viewer.frames) > 5, 10)
    good = several and (within is None or viewer.took <= within)
    lab.report.row(f"a call is answered {what}", good, f"connected {viewer.took:.2f} s, picture {viewer.first:.2f} s after the offer")
    return viewer


def rate(lab, viewer, since):
    """Frames a second of the camera's picture since then."""
    return sum(frame.at > since and frame.shows(pictures.bars) for frame in viewer.frames) / (lab.now - since)


async def reloaded(lab):
    """Its secrets are the daemon's alone, and whoever has it reload need not know them."""
    secret, file = "/etc/porthole/secrets/ICE_TURN_SECRET", "/etc/porthole/porthole.toml"
    turn = 'turn = [{ url = "turn:192.0.2.1", secret = "" }]'
    await lab.run(f"install -m 0600 /dev/null {secret}; echo hush > {secret}")
    try:
        await lab.configure(audio=f"[ice]\n{turn}")
        viewer = await answered(lab, "before its configuration changes")
        said = await lab.run(f"sed -i 's/192.0.2.1/192.0.2.2/' {file}; systemctl reload porthole 2>&1 && echo done; journalctl -u porthole -n 20 -o cat")
        good = "done" in said and "ice.turn is taken over" in said
        lab.report.row("a reload takes over what depends on a secret of root's", good, "ice.turn is taken over" if good else said)
        said = await lab.run(f"sed -i 's/192.0.2.2/here now/' {file}; systemctl reload porthole 2>&1 || echo refused; journalctl -u porthole -n 20 -o cat")
        good = "refused" in said and "ice.turn[0].url" in said
        lab.report.row("one that is not allowed fails and says why", good, "refused" if good else said)
        since = lab.now
        await lab.sleep(3)
        seen = rate(lab, viewer, since)
        lab.report.row("a call goes on meanwhile", seen > 1 and not viewer.is_over(), f"{seen:.0f} frames/s")
        await viewer.hang_up()
    finally:
        await lab.run(f"rm -f {secret}")


async def killed(lab):
    await lab.configure()
    before = await answered(lab, "before kill -9")
    begun = lab.now
    await lab.run("systemctl kill -s KILL porthole")
    await lab.answers()
    took = lab.now - begun
    lab.report.row("after kill -9 the room is joined again within 3 s", took <= 3, f"{took:.2f} s, with the second that systemd waits")
    await before.hang_up()
    await (await answered(lab, f"within {SOON:.0f} s after kill -9", within=SOON)).hang_up()


async def relay_lost(lab):
    """The relay is a process of its own, and goes away for a while."""
    await lab.run(f"systemctl stop porthole; cat > /tmp/relay.toml <<'TOML'{RELAY}TOML\n"
                  "systemd-run -q --unit=relay -p Restart=no porthole relay --config /tmp/relay.toml")
    try:
        await lab.answers()
        await lab.configure(relay=EXTERNAL)
        await lab.run("for i in $(seq 100); do porthole status --config /etc/porthole/porthole.toml | grep -q 'is in its room' && break; sleep 0.2; done; true")
        viewer = await answered(lab, "through a relay of its own")
        await lab.run("systemctl kill -s KILL relay; sleep 5")
        lost = lab.now
        await lab.sleep(3)
        seen = rate(lab, viewer, lost)
        lab.report.row("a call goes on without the relay", seen > 1 and not viewer.is_over(), f"{seen:.0f} frames/s")
        await lab.run("systemctl reset-failed relay; systemd-run -q --unit=relay -p Restart=no porthole relay --config /tmp/relay.toml")
        await lab.answers()
        await lab.sleep(8)
        await (await answered(lab, "after the relay came back")).hang_up()
        await viewer.hang_up()
    finally:
        await lab.run("systemctl stop relay porthole; systemctl reset-failed relay; true")


async def disk_full(lab):
    await lab.configure()
    viewer = await answered(lab, "before the disk is full")
    await lab.run("fallocate -l $(df --output=avail -B1 / | tail -n 1) /full || true; dd if=/dev/zero of=/full2 bs=1M 2> /dev/null; df -h / | tail -n 1")
    try:
        full = lab.now
        await lab.sleep(3)
        seen = rate(lab, viewer, full)
        lab.report.row("a call goes on with a full disk", seen > 1 and not viewer.is_over(), f"{seen:.0f} frames/s")
        await lab.run("systemctl restart porthole")
        await lab.answers()
        await (await answered(lab, "started with a full disk")).hang_up()
    finally:
        await lab.run("rm -f /full /full2")
    await viewer.hang_up()
    await (await answered(lab, "with room on the disk again")).hang_up()


async def clock_jumps(lab):
    """A board without a clock of its own starts in the past, and is told the time later."""
    await lab.run("date -s '2000-01-01 00:00:10'")
    await lab.configure()
    viewer = await answered(lab, "in the year 2000")
    for name, date in [("forward to now", f"@{int(time.time())}"), ("ten years on", f"@{int(time.time()) + 315360000}"), ("back an hour", f"@{int(time.time()) - 3600}")]:
        await lab.run(f"date -s '{date}'")
        jumped = lab.now
        await lab.sleep(6)
        seen = rate(lab, viewer, jumped)
        lab.report.row(f"a call goes on when the clock jumps {name}", seen > 1 and not viewer.is_over(), f"{seen:.0f} frames/s")
        await (await answered(lab, f"after the clock jumped {name}")).hang_up()
    await viewer.hang_up()
    await lab.run(f"date -s '@{int(time.time())}'")


async def stopped(lab):
    """How long it takes to stop, with somebody watching and without."""
    await lab.configure()
    viewer = await answered(lab, "before it is stopped")
    took = float(await lab.run("a=$(date +%s%N); systemctl stop porthole; echo $(( ($(date +%s%N) - a) / 1000000 ))")) / 1000
    await lab.sleep(1)
    lab.report.row("it stops within 1 s, and says so to who watches", took <= 1 and viewer.is_over() is not None, f"{took:.2f} s, {viewer.is_over()}")
    await viewer.hang_up()
    result = (await lab.run("systemctl show -P Result porthole")).strip()
    await lab.run("systemctl start porthole")
    await lab.answers()
    took = float(await lab.run("a=$(date +%s%N); systemctl stop porthole; echo $(( ($(date +%s%N) - a) / 1000000 ))")) / 1000
    lab.report.row("it stops within 1 s when nobody watches", took <= 1 and result == "success", f"{took:.2f} s, {result}")
    begun = lab.now
    await lab.run("systemctl start porthole")
    await lab.answers()
    lab.report.say(f"  started again in {lab.now - begun:.2f} s")
