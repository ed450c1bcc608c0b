"""Boots the machine and watches the daemon in it from outside. Knows nothing of how the daemon works inside."""
