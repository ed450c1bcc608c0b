"""Somebody outside who watches: signalling through the camera's relay, and a WebRTC end that decodes (aiortc). Knows of the
daemon what the wire says, and nothing else."""

import asyncio
import base64
import hashlib
import hmac
import logging
import socket
import uuid
from dataclasses import dataclass, field

import numpy
import socketio
from aioice import ice
from aiortc import RTCPeerConnection, RTCSessionDescription, rtcrtpreceiver
from aiortc.codecs import opus
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.sdp import candidate_from_sdp

from .pictures import grid

logging.getLogger("libav").setLevel(logging.CRITICAL)

# What aiortc has for its estimate of the way, and how often it is told.
ESTIMATOR = "_RTCRtpReceiver__remote_bitrate_estimator"
ESTIMATE_EVERY = 0.2


def samples(packet):
    """How much sound, at 48 kHz, is in a packet of Opus (RFC 6716 section 3.1)."""
    mode, code = packet[0] >> 3, packet[0] & 3
    if mode < 12:
        frame = (480, 960, 1920, 2880)[mode & 3]
    elif mode < 16:
        frame = (480, 960)[mode & 1]
    else:
        frame = (120, 240, 480, 960)[mode & 3]
    return frame * (1 if code == 0 else 2 if code < 3 else packet[1] & 63)


def decode_opus(decoder, encoded, decode=opus.OpusDecoder.decode):
    """As aiortc does it, which in Debian 12 only knows packets of 20 ms."""
    opus.SAMPLES_PER_FRAME = samples(encoded.data)
    return decode(decoder, encoded)


opus.OpusDecoder.decode = decode_opus


def lasting_addresses(use_ipv4, use_ipv6, every=ice.get_host_addresses):
    """The address by which this computer reaches others, where it has one. Those of bridges and tunnels come and go, and a call
    that went over one of them ends with it."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asks:
            asks.connect(("198.51.100.1", 9))
            return [asks.getsockname()[0]]
    except OSError:
        return every(use_ipv4, use_ipv6)


ice.get_host_addresses = lasting_addresses


class Clock:
    """In the place of the module `time` in aiortc: how long reports were kept is told to a machine whose clock is not that on
    the wall."""

    def __init__(self, machine):
        self.machine = machine

    def time(self):
        return self.machine.now


class Estimate:
    """In the place of aiortc's estimate of what the way carries, which goes by the clock on the wall: it is what the test says,
    in kbit/s, or none."""

    def __init__(self, machine):
        self.machine, self.kbit, self.said = machine, None, 0.0

    def add(self, ssrc, **_):
        if self.kbit is None or self.machine.now < self.said + ESTIMATE_EVERY:
            return None
        self.said = self.machine.now
        return self.kbit * 1000, [ssrc]


class Refused(Exception):
    """The camera does not take the call, and the word it says."""


@dataclass
class Frame:
    """One decoded picture: when it was there, and its brightness at a few points."""

    at: float
    size: tuple
    points: numpy.ndarray

    def differs(self, other):
        """How much two pictures differ, 0 to 255 a point."""
        return float(numpy.abs(self.points - other.points).mean())

    def brightness(self):
        return float(self.points.mean())

    def shows(self, kind):
        """Whether it is of this kind, one of `pictures`."""
        return kind(self.points)


@dataclass
class Sound:
    """Some milliseconds of sound: when they were there, and how loud (0 to 32768)."""

    at: float
    loudness: float


def proof(secret, *fields):
    """HMAC-SHA256 over fields that are each preceded by their length; base64url."""
    message = b""
    for one in fields:
        one = one if isinstance(one, bytes) else one.encode()
        message += len(one).to_bytes(4, "big") + one
    return base64.urlsafe_b64encode(hmac.new(secret, message, hashlib.sha256).digest()).decode().rstrip("=")


@dataclass
class Viewer:
    """One call. `frames`, `sounds` and `said` (what the room told, with times) only grow. All times are of the machine that
    is watched: it has a clock of its own."""

    machine: object
    url: str
    room: str = "porthole"
    key: str = ""
    codec: str = ""
    frames: list = field(default_factory=list)
    sounds: list = field(default_factory=list)
    said: list = field(default_factory=list)

    async def call(self, limit):
        """Joins, offers, and waits until connected. Seconds from the offer to the connection."""
        calling = asyncio.ensure_future(self._call())
        if not await self.machine.until(calling.done, limit):
            calling.cancel()
            raise Refused(f"no connection within {limit} s")
        return calling.result()

    async def _call(self):
        self.me, self.attempt = f"viewer-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex[:8]
        self.relay, self.peer = socketio.AsyncClient(reconnection=False), RTCPeerConnection()
        loop = asyncio.get_running_loop()
        self.answer, self.camera, self.connected, self.over = (loop.create_future() for _ in range(4))
        self.early = []
        rtcrtpreceiver.time = Clock(self.machine)
        self.relay.on("*", self._hear)
        self.peer.on("track", self._take)
        self.peer.on("connectionstatechange", self._changed)
        key_id, _, secret = self.key.partition(".")
        secret = base64.urlsafe_b64decode(secret + "=") if secret else b""
        admission = {"room": self.room, "key": key_id, "admission": proof(secret, "porthole admission v1", self.room)}
        await self.relay.connect(self.url, transports=["websocket"], auth=admission if self.key else None)
        # The relay's pings come when its clock says so.
        self.relay.eio.ping_interval = 86400
        await self.relay.emit("join", {"room": self.room, "from": self.me, "role": "viewer", "name": "vm"})
        camera = await self.camera
        video = self.peer.addTransceiver("video", direction="recvonly")
        self.estimate = Estimate(self.machine)
        setattr(video.receiver, ESTIMATOR, self.estimate)
        if self.codec:
            known = RTCRtpReceiver.getCapabilities("video").codecs
            video.setCodecPreferences([c for c in known if c.name.upper() in (self.codec, "RTX")])
        self.peer.addTransceiver("audio", direction="recvonly")
        await self.peer.setLocalDescription(await self.peer.createOffer())
        sdp = self.peer.localDescription.sdp
        offer = {"room": self.room, "from": self.me, "to": camera, "call": self.attempt,
                 "sdp": {"type": "offer", "sdp": sdp, "from": self.me, "call": self.attempt}}
        if self.key:
            offer["key"] = key_id
            offer["proof"] = proof(secret, "porthole offer v1", self.room, self.me, camera, self.attempt, sdp)
        self.offered = self.machine.now
        await self.relay.emit("offer", offer)
        answer = await self.answer
        if self.key:
            digest = hashlib.sha256(sdp.encode()).digest()
            wanted = proof(secret, "porthole answer v1", self.room, camera, self.me, self.attempt, digest, answer["sdp"]["sdp"])
            if answer.get("proof") != wanted:
                raise Refused("an answer that is not proved")
        await self.peer.setRemoteDescription(RTCSessionDescription(answer["sdp"]["sdp"], "answer"))
        for candidate in self.early:
            await self._candidate(candidate)
        self.early = None
        await self.connected
        return self.machine.now - self.offered

    async def _hear(self, event, payload=None, *_):
        self.said.append((self.machine.now, event, payload))
        payload = payload if isinstance(payload, dict) else {}
        mine = payload.get("call") == self.attempt
        if event == "room":
            cameras = [p["from"] for p in payload["peers"] if p["role"] == "camera"]
            self._settle(self.camera, cameras[0] if cameras else Refused("no camera in the room"))
        elif event == "answer" and mine:
            self._settle(self.answer, payload)
        elif event == "candidate" and mine and payload.get("candidate"):
            if self.early is None:
                await self._candidate(payload["candidate"])
            else:
                self.early.append(payload["candidate"])
        elif event == "refused":
            for waiting in (self.camera, self.answer):
                self._settle(waiting, Refused(payload.get("reason")))
        elif event == "bye" and mine:
            self._settle(self.over, f"bye: {payload.get('reason')}")

    @staticmethod
    def _settle(future, outcome):
        if future.done():
            return
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
            future.exception()  # looked at, whoever waits for it
        else:
            future.set_result(outcome)

    async def _candidate(self, told):
        words = told["candidate"].partition(":")[2]
        if words and words.split()[2].lower() == "udp" and ".local" not in words:
            candidate = candidate_from_sdp(words)
            candidate.sdpMid, candidate.sdpMLineIndex = told.get("sdpMid"), told.get("sdpMLineIndex")
            await self.peer.addIceCandidate(candidate)

    async def _changed(self):
        state = self.peer.connectionState
        if state == "connected":
            self._settle(self.connected, True)
        elif state in ("failed", "closed"):
            self._settle(self.connected, Refused(f"the connection is {state}"))
            self._settle(self.over, f"the connection is {state}")

    def _take(self, track):
        asyncio.ensure_future(self._watch(track) if track.kind == "video" else self._listen(track))

    async def _watch(self, track):
        try:
            while True:
                frame = await track.recv()
                points = grid(frame.planes[0], frame.width, frame.height)
                self.frames.append(Frame(self.machine.now, (frame.width, frame.height), points))
        except MediaStreamError:
            pass

    async def _listen(self, track):
        try:
            while True:
                frame = await track.recv()
                loudness = float(numpy.abs(frame.to_ndarray().astype(numpy.float32)).mean())
                self.sounds.append(Sound(self.machine.now, loudness))
        except MediaStreamError:
            pass

    async def until(self, wanted, limit):
        """Waits for the first frame that is as wanted, of those there are and those to come; `None` when it is too late."""
        at = 0

        def found():
            nonlocal at
            while at < len(self.frames) and not wanted(self.frames[at]):
                at += 1
            return at < len(self.frames)

        return self.frames[at] if await self.machine.until(found, limit) else None

    def is_over(self):
        """Why the call ended, or `None` while it has not."""
        return self.over.result() if self.over.done() else None

    async def hang_up(self):
        if self.relay.connected:
            await self.relay.emit("bye", {"room": self.room, "from": self.me, "to": self.camera.result() if self.camera.done() else None,
                                          "call": self.attempt, "reason": "hang-up"})
            await asyncio.sleep(0.2)  # what is said leaves in a task of its own, which a disconnection would not wait for
            await self.relay.disconnect()
        await self.peer.close()
