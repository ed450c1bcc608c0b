"""Stops the machine while what watches it stands still, and lets it go on afterwards. A busy host may keep the tests from
running for longer than the machine waits for a viewer, and it would look like a fault of the machine.

guard.py MONITOR: each byte on its input says that the tests run; its end is the end. A process of its own, because it has to
run when they do not."""

import select
import socket
import sys

# In seconds: the tests are heard of many times within this.
PATIENCE = 0.4


def guard(heard, tell):
    stopped = False
    while True:
        ready, _, _ = select.select([heard], [], [], None if stopped else PATIENCE)
        if ready and not heard.read(4096):
            return
        if stopped == bool(ready):
            stopped = not ready
            tell("stop" if stopped else "cont")


def tell(monitor, word):
    monitor.sendall(f"{word}\n".encode())
    # What it answers is of no interest, and must not pile up.
    while select.select([monitor], [], [], 0)[0] and monitor.recv(4096):
        pass


if __name__ == "__main__":
    monitor = socket.socket(socket.AF_UNIX)
    monitor.connect(sys.argv[1])
    guard(open(sys.stdin.fileno(), "rb", buffering=0, closefd=False), lambda word: tell(monitor, word))
