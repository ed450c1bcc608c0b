"""The scenarios by name, in the order in which they are gone through. Each is independent of the others."""

from . import arrival, encoders, faults, idle, plug, privacy, service, silence

ALL = {
    "arrival": arrival.installed,
    "devices": arrival.devices,
    "doctor": arrival.doctor,
    "idle": idle.idle,
    "sources": encoders.table,
    "encoder": encoders.replaced,
    "plug": plug.cycles,
    "faults": faults.kinds,
    "silence": silence.noticed,
    "privacy": privacy.privacy,
    "snapshot": privacy.snapshot,
    "killed": service.killed,
    "relay": service.relay_lost,
    "disk": service.disk_full,
    "clock": service.clock_jumps,
    "stop": service.stopped,
}
