"""python3 -m lab SUITE ARCH FOLDER [SCENARIO…]: boots what is in FOLDER and goes through the scenarios, all of them if
none is named. Ends with 0 if everything was as it should be; the report is FOLDER/report.txt."""

import asyncio
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from .lab import Lab
from .machine import Machine
from .report import Report
from .scenarios import ALL


async def main():
    suite, arch, folder, *wanted = sys.argv[1:]
    folder = Path(folder)
    unknown = [name for name in wanted if name not in ALL]
    if unknown:
        sys.exit(f"vm: no scenario {', '.join(unknown)}; there are {', '.join(ALL)}")
    report = Report(folder / "report.txt")
    machine = Machine(folder, arch)
    lab = Lab(machine, report)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    try:
        up, took = await machine.boot()
        report.row(f"Debian {suite} for {arch} boots", True, f"{up:.0f} s on its own clock, {took:.0f} s on the wall, load {os.getloadavg()[0]:.0f}")
        report.say(await lab.run("uname -r; gst-inspect-1.0 --version | tail -n 1; ls /dev/video*; porthole --version"))
        for name in wanted or ALL:
            report.say(f"--- {name}")
            begun, wall, machine.stood_still = machine.now, time.monotonic(), 0.0
            try:
                await ALL[name](lab)
            except Exception as error:  # whatever it is, the next scenario is independent of it
                report.row(f"{name} goes through", False, repr(error) if not str(error) else str(error))
                report.say(traceback.format_exc(limit=-3))
                try:
                    report.say(await lab.journal())
                except Exception as silent:
                    report.say(f"and the machine does not say why: {silent!r}")
            report.say(f"--- {name}: {machine.now - begun:.0f} s, {time.monotonic() - wall:.0f} s on the wall, load {os.getloadavg()[0]:.0f}, "
                       f"the tests themselves stood still for {machine.stood_still:.1f} s at most")
    finally:
        await machine.off()
    report.close()


asyncio.run(main())
