//! The key of the calls, with the real GStreamer. Alone in its process, which only ever has one.

use gst::prelude::*;
use openssl::rsa::Rsa;
use openssl::x509::X509;
use porthole::media;

#[test]
fn calls_are_proved_with_the_key_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Rsa::generate(2048).unwrap();
    std::fs::write(folder.path().join("calls.pem"), kept.private_key_to_pem().unwrap()).unwrap();
    gst::init().unwrap();
    media::keep_key_in(folder.path());
    // What webrtcbin makes for each call.
    let shown: String = gst::ElementFactory::make("dtlsdec").build().unwrap().property("pem");
    let certificate = X509::from_pem(shown.as_bytes()).unwrap();
    assert_eq!(certificate.public_key().unwrap().rsa().unwrap().n(), kept.n());
    // Only the one key is ours: others are made as ever.
    assert_ne!(Rsa::generate(2048).unwrap().n(), kept.n());
}
