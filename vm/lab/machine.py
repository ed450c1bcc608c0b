"""A Debian in QEMU, without KVM, that runs what it is told to. Must not know what is installed in it."""

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

END = b"__END__\n"
# As the overlay's services have it.
COMMANDS, CLOCK, WEB = 7000, 7001, 8080
# Its clock counts instructions, 2^SHIFT nanoseconds each, so that it is a board of the same speed however busy the machine
# below is. SPEED=wall goes with the clock on the wall: quicker where there are two quiet cores, and wrong where there are not.
SHIFT = 1
if os.environ.get("SPEED") == "wall":
    ACCELERATION = ["-accel", "tcg,thread=multi,tb-size=512", "-smp", "2"]
else:
    ACCELERATION = ["-accel", "tcg,thread=single,tb-size=512", "-icount", f"shift={SHIFT}"]
# What emulated hardware would only cost time for; and a busy machine may be late with what the kernel takes for its timer.
QUIET = "modprobe.blacklist=kvm_amd,kvm_intel,kvm,pcspkr,parport_pc,aesni_intel,ghash_clmulni_intel,i2c_i801,lpc_ich audit=0 no_timer_check"
# How often whatever is outside says that it runs, in seconds; see guard.py.
RUNS_EVERY = 0.05
GUARD = Path(__file__).resolve().with_name("guard.py")
# In seconds of the clock on the wall: only bounds a hang.
PATIENCE = 1800


class Failed(Exception):
    """A command in the machine failed, or the machine itself."""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Machine:
    """One machine: booted, used, and gone with everything that was written to its disk."""

    def __init__(self, folder, arch, memory=1024):
        self.folder, self.arch, self.memory = folder.resolve(), arch, memory
        self.ports = {guest: free_port() for guest in (COMMANDS, CLOCK, WEB)}
        self.console = self.folder / "console.log"
        # A socket's path is short, so it is looked for where both ends are.
        self.monitor = self.folder / "monitor"
        self.process = self.guard = self.ticking = self.waking = None
        self.now = self.stood_still = 0.0

    def _line(self, append):
        if self.arch == "amd64":
            program = ["qemu-system-x86_64", "-M", "q35", "-cpu", "max"]
            console = "ttyS0"
        else:
            program = ["qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", "cortex-a72"]
            console = "ttyAMA0"
        forward = ",".join(f"hostfwd=tcp:127.0.0.1:{host}-:{guest}" for guest, host in self.ports.items())
        return program + ACCELERATION + [
            "-m", str(self.memory), "-nodefaults", "-display", "none", "-no-reboot",
            "-drive", f"file={self.folder}/disk.img,format=raw,if=none,id=disk,snapshot=on", "-device", "virtio-blk-pci,drive=disk",
            "-netdev", f"user,id=net,{forward}", "-device", "virtio-net-pci,netdev=net",
            "-serial", f"file:{self.console}", "-monitor", f"unix:{self.monitor.name},server=on,wait=off",
            "-kernel", f"{self.folder}/vmlinuz", "-initrd", f"{self.folder}/initrd",
            "-append", f"root=/dev/vda rw console={console} quiet panic=-1 mitigations=off {QUIET} {append}",
        ]

    async def boot(self, append=""):
        """Starts it and waits until it runs commands. How long that took on its own clock and on the wall, in seconds."""
        begun = time.monotonic()
        self.console.unlink(missing_ok=True)
        self.monitor.unlink(missing_ok=True)
        self.process = await asyncio.create_subprocess_exec(
            *self._line(append), cwd=self.folder, env=dict(os.environ, TMPDIR=str(self.folder)),
        )
        while True:
            try:
                await self.run("true", 30)
                break
            except (OSError, Failed, asyncio.TimeoutError):
                pass
            said = self.console.read_text(errors="replace") if self.console.exists() else ""
            if self.process.returncode is not None or "Kernel panic" in said:
                raise Failed(f"the machine did not come up:\n{said[-2000:]}")
            if time.monotonic() - begun > PATIENCE:
                raise Failed(f"not up within {PATIENCE} s:\n{said[-2000:]}")
            await asyncio.sleep(0.5)
        took = time.monotonic() - begun
        await self.attach()
        return self.now, took

    async def attach(self):
        """Listens to its clock, until it is off."""
        reader, _ = await asyncio.open_connection("127.0.0.1", self.ports[CLOCK])
        self.now = float(await asyncio.wait_for(reader.readline(), PATIENCE))
        self.ticking = asyncio.ensure_future(self._tick(reader))
        self.guard = await asyncio.create_subprocess_exec(
            sys.executable, "-B", str(GUARD), self.monitor.name, cwd=self.folder, stdin=asyncio.subprocess.PIPE,
        )
        self.waking = asyncio.ensure_future(self._wake())

    async def _tick(self, reader):
        async for line in reader:
            self.now = float(line)

    async def _wake(self):
        """Says that the tests run, and measures for how long they did not while the machine went on."""
        last = self.now
        while not self.guard.stdin.is_closing():
            self.guard.stdin.write(b".")
            await asyncio.sleep(RUNS_EVERY)
            last, gap = self.now, self.now - last
            self.stood_still = max(self.stood_still, gap)

    async def sleep(self, seconds):
        """Waits for as long on the machine's own clock."""
        await self.until(lambda: False, seconds)

    async def until(self, true, seconds):
        """Waits until something is true, at most for as long on the machine's own clock. Whether it is."""
        end, patience = self.now + seconds, time.monotonic() + PATIENCE
        while not true():
            if self.now >= end:
                return False
            if self.ticking.done() or time.monotonic() > patience:
                raise Failed("the machine's clock stands still")
            await asyncio.sleep(0.01)
        return True

    async def run(self, script, patience=PATIENCE):
        """Runs a shell script as root and returns what it printed; `Failed` if it ended with anything but 0."""
        return await asyncio.wait_for(self._run(script), patience)

    async def _run(self, script):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[COMMANDS])
        try:
            writer.write(script.encode() + b"\n" + END)
            said = (await reader.read()).decode(errors="replace")
        finally:
            writer.close()
        said, mark, code = said.rpartition("__RC__ ")
        if not mark:
            raise Failed(f"no answer to: {script}\n{said}")
        if int(code) != 0:
            raise Failed(f"{script}\nended with {code.strip()}:\n{said}")
        return said

    async def off(self):
        """Pulls the plug."""
        for task in filter(None, (self.ticking, self.waking)):
            task.cancel()
        for process in filter(None, (self.guard, self.process)):
            if process.returncode is None:
                process.kill()
                await process.wait()
        self.monitor.unlink(missing_ok=True)
