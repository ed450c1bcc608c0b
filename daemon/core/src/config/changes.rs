//! What differs between two configurations, and what of it a running daemon takes over. Must not know how.

use super::settings::{
    AudioSettings, ExternalRelay, IceSettings, Look, MediaSettings, RelayMode, RelaySettings, RoomSettings,
    Settings, SpeakerSettings, TlsSettings, VideoSettings,
};
use crate::ice::Filter;
use crate::publish::PublishSettings;

/// A key whose value is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Such as `room.max_calls`.
    pub key: &'static str,
    /// Whether a running daemon takes it over. Otherwise it has to be started anew.
    pub live: bool,
}

impl Settings {
    /// Every key that is another one in `new`, in the order of `config/porthole.toml`.
    pub fn changes(&self, new: &Self) -> Vec<Change> {
        // Every field is named, here and below, so that one that is new cannot be left out.
        let Self { room, relay, media, ice, publish, log } = self;
        let mut found = Found::default();
        found.room(room, &new.room);
        found.relay(relay, &new.relay);
        let MediaSettings { video, audio, speaker } = media;
        found.video(video, &new.media.video);
        found.audio(audio, &new.media.audio);
        found.speaker(speaker, &new.media.speaker);
        found.ice(ice, &new.ice);
        let address =
            |publish: &Option<PublishSettings>| publish.as_ref().map(|publish| publish.whip.clone());
        let moved = address(publish) != address(&new.publish);
        found.restart("publish.whip", moved);
        found.restart("publish.token", !moved && *publish != new.publish);
        found.live("log.level", *log != new.log);
        found.0
    }

    /// Becomes like `new` where that is possible while it is in use: in every key of which [`Self::changes`] says so.
    pub fn take_over(&mut self, new: &Self) {
        self.room.max_calls = new.room.max_calls;
        self.room.idle_after = new.room.idle_after;
        if let (RelayMode::External(now), RelayMode::External(new)) = (&mut self.relay.mode, &new.relay.mode)
        {
            now.calls = new.calls;
        }
        self.media.video.fallback = new.media.video.fallback;
        self.ice = new.ice.clone();
        self.log = new.log;
    }
}

#[derive(Default)]
struct Found(Vec<Change>);

impl Found {
    fn live(&mut self, key: &'static str, changed: bool) {
        self.0.extend(changed.then_some(Change { key, live: true }));
    }

    fn restart(&mut self, key: &'static str, changed: bool) {
        self.0.extend(changed.then_some(Change { key, live: false }));
    }

    fn room(&mut self, now: &RoomSettings, new: &RoomSettings) {
        let RoomSettings { room, camera, access, keys, max_calls, idle_after, privacy } = now;
        self.restart("room.name", *room != new.room);
        self.restart("room.camera", *camera != new.camera);
        self.restart("room.access", *access != new.access);
        self.restart("room.keys", *keys != new.keys);
        self.live("room.max_calls", *max_calls != new.max_calls);
        self.live("room.idle_after", *idle_after != new.idle_after);
        // What holds until somebody orders otherwise: `porthole privacy` does that while it runs.
        self.restart("room.privacy", *privacy != new.privacy);
    }

    fn relay(&mut self, now: &RelaySettings, new: &RelaySettings) {
        let RelaySettings { listen, link, tls, metrics, max_sockets, rooms, mode } = now;
        self.restart("relay.listen", *listen != new.listen);
        self.restart("relay.link", *link != new.link);
        let TlsSettings { source, redirect } = tls;
        self.restart("relay.tls", *source != new.tls.source);
        self.restart("relay.redirect", *redirect != new.tls.redirect);
        self.restart("relay.metrics", *metrics != new.metrics);
        self.restart("relay.max_sockets", *max_sockets != new.max_sockets);
        self.restart("relay.rooms", *rooms != new.rooms);
        match (mode, &new.mode) {
            (RelayMode::Embedded, RelayMode::Embedded) => {}
            (RelayMode::External(now), RelayMode::External(new)) => self.external(now, new),
            _ => self.restart("relay.mode", true),
        }
    }

    fn external(&mut self, now: &ExternalRelay, new: &ExternalRelay) {
        // Calls are what room.max_calls says.
        let ExternalRelay { url, path, dialect, calls: _, auth, ca, pin } = now;
        self.restart("relay.url", *url != new.url);
        self.restart("relay.path", *path != new.path);
        self.restart("relay.dialect", *dialect != new.dialect);
        self.restart("relay.auth", *auth != new.auth);
        self.restart("relay.ca", *ca != new.ca);
        self.restart("relay.pin", *pin != new.pin);
    }

    fn video(&mut self, now: &VideoSettings, new: &VideoSettings) {
        let VideoSettings {
            source,
            width,
            height,
            framerate,
            bitrate,
            encoder,
            fallback,
            look,
            delay,
            keep_warm,
        } = now;
        self.restart("video.source", *source != new.source);
        self.restart("video.width", *width != new.width);
        self.restart("video.height", *height != new.height);
        self.restart("video.framerate", *framerate != new.framerate);
        self.restart("video.bitrate", *bitrate != new.bitrate);
        self.restart("video.encoder", *encoder != new.encoder);
        self.live("video.fallback", *fallback != new.fallback);
        self.restart("video.delay", *delay != new.delay);
        self.restart("video.keep_warm", *keep_warm != new.keep_warm);
        let Look { flip, day_night, controls } = look;
        self.restart("video.flip", *flip != new.look.flip);
        self.restart("video.day_night", *day_night != new.look.day_night);
        self.restart("video.controls", *controls != new.look.controls);
    }

    /// Looked at for each call.
    fn ice(&mut self, now: &IceSettings, new: &IceSettings) {
        let IceSettings { stun, turn, turn_lifetime, ca, policy, ports, tcp, filter, announce } = now;
        self.live("ice.stun", *stun != new.stun);
        self.live("ice.turn", *turn != new.turn);
        self.live("ice.turn_lifetime", *turn_lifetime != new.turn_lifetime);
        self.live("ice.ca", *ca != new.ca);
        self.live("ice.policy", *policy != new.policy);
        self.live("ice.ports", *ports != new.ports);
        self.live("ice.tcp", *tcp != new.tcp);
        let Filter { interfaces, addresses } = filter;
        self.live("ice.interfaces", *interfaces != new.filter.interfaces);
        self.live("ice.addresses", *addresses != new.filter.addresses);
        self.live("ice.announce", *announce != new.announce);
    }

    fn audio(&mut self, now: &AudioSettings, new: &AudioSettings) {
        let AudioSettings { source, bitrate, packet, gain } = now;
        self.restart("audio.source", *source != new.source);
        self.restart("audio.bitrate", *bitrate != new.bitrate);
        self.restart("audio.packet", *packet != new.packet);
        self.restart("audio.gain", *gain != new.gain);
    }

    fn speaker(&mut self, now: &SpeakerSettings, new: &SpeakerSettings) {
        let SpeakerSettings { sink, volume, talkers, echo } = now;
        self.restart("speaker.sink", *sink != new.sink);
        self.restart("speaker.volume", *volume != new.volume);
        self.restart("speaker.talkers", *talkers != new.talkers);
        self.restart("speaker.echo", *echo != new.echo);
    }
}
