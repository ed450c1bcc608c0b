//! try
use porthole::media::*;
use porthole_core::command::Command;
use porthole_core::config::settings::*;
use porthole_core::ids::*;
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn answers() {
    let settings = porthole_core::config::load("x", "[video]\nsource=\"test\"\n[audio]\nsource=\"test\"", &|_| None).unwrap();
    let (events, mut heard) = Events::channel();
    let t = std::time::Instant::now();
    let mut media = Media::open(settings.media.clone(), settings.ice.clone(), events).await.unwrap();
    eprintln!("open {:?}", t.elapsed());
    for f in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/offers")).unwrap().enumerate() {
        let path = f.1.unwrap().path();
        let offer = std::fs::read_to_string(&path).unwrap();
        eprintln!("=== {path:?}");
        let plan = match porthole_core::sdp::choose::plan(&offer, Fallback::Vp8) { Ok(p) => p, Err(e) => { eprintln!("refused {e}"); continue } };
        let call = CallId(f.0 as u64 + 1);
        let t = std::time::Instant::now();
        media.perform(&Command::StartCapture);
        if let Some(r) = plan.rendition { media.perform(&Command::StartRendition(r)); }
        media.perform(&Command::Answer { call, plan: Box::new(plan.clone()), trickle: false });
        while let Some(e) = heard.recv().await {
            match e {
                porthole_core::event::MediaEvent::Answered { sdp, .. } => { eprintln!("{:?} {}", t.elapsed(), if f.0 == 0 { plan.finish(&sdp).unwrap() } else { format!("{:?}", plan.finish(&sdp).is_ok()) }); media.perform(&Command::HangUp { call }); }
                porthole_core::event::MediaEvent::Closed { .. } => { eprintln!("closed {:?}", t.elapsed()); break }
                e => eprintln!("{:?} {}", t.elapsed(), &format!("{e:?}")[..format!("{e:?}").len().min(150)]),
            }
        }
    }
    media.close().await;
}
