"""The scenarios by name, in the order in which they are gone through. Each is independent of the others."""

from . import arrival, encoders, faults, idle, plug, privacy, returns, service, settings, silence

ALL = {
    "arrival": arrival.installed,
    "devices": arrival.devices,
    "doctor": arrival.doctor,
    "idle": idle.idle,
    "warm": idle.warm,
    "sources": encoders.table,
    "encoder": encoders.replaced,
    "plug": plug.cycles,
    "faults": faults.kinds,
    "returns": returns.returns,
    "silence": silence.noticed,
    "frozen": silence.frozen,
    "settings": settings.settings,
    "privacy": privacy.privacy,
    "snapshot": privacy.snapshot,
    "reload": service.reloaded,
    "killed": service.killed,
    "relay": service.relay_lost,
    "disk": service.disk_full,
    "clock": service.clock_jumps,
    "stop": service.stopped,
}
