//! The only place that knows Socket.IO and HTTP. Must not know GStreamer.
