//! The pipeline of one call: built, negotiated, fed and released. Everything here may block. Must not know when.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gst::prelude::*;
use porthole_core::event::MediaEvent;
use porthole_core::ice::announced_in;
use porthole_core::ids::{CallId, Rendition};
use porthole_core::sdp::accept::Accepted;
use porthole_core::sdp::choose::{AnswerPlan, Codec};
use porthole_core::sdp::propose;
use porthole_core::wire::Candidate;

use super::super::element::{MediaError, failed};
use super::super::fan::Word;
use super::super::timeline::{Said, stop};
use super::super::{Events, Producers};
use super::again::Again;
use super::gates::Gates;
use super::outbox::Outbox;
use super::reports::Reports;
use super::way::Inquiries;
use super::{Order, Part, build, negotiate, signals};

/// How long a call that ends waits for webrtcbin's statistics.
const INQUIRY: Duration = Duration::from_secs(1);

/// An open call.
pub struct Line {
    call: CallId,
    pipeline: gst::Pipeline,
    webrtc: gst::Element,
    entries: Vec<build::Entry>,
    /// What the viewer gets, where that is not what was agreed upon.
    fed: Option<Option<Rendition>>,
    again: Arc<Again>,
    outbox: Arc<Outbox>,
    inquiries: Arc<Inquiries>,
    stage: Stage,
}

/// How far the negotiation is, with what that stage knows.
enum Stage {
    /// The viewer's offer is answered.
    Answered { plan: Box<AnswerPlan>, answer: String, trickle: bool },
    /// Our offer waits for its answer.
    Offered { offer: String },
    /// Our offer was answered.
    Agreed(Box<Accepted>),
}

impl Line {
    /// Builds the pipeline and makes the answer or the offer. Blocks.
    pub fn open(order: Order, events: &Events) -> Result<Self, MediaError> {
        let Order { call, part, ice, ways, timeline, crew, ear, delay } = order;
        let (began, inquiries) = (Instant::now(), Arc::<Inquiries>::default());
        let pipeline = timeline.pipeline(&format!("call-{call}"), {
            let events = events.clone();
            move |said| match said {
                Said::Error(reason) => events.send(MediaEvent::CallFailed { call, reason }),
                Said::EndOfStream => {}
            }
        });
        let hear = {
            let events = events.clone();
            move |word| match word {
                Word::Failed(reason) => events.send(MediaEvent::CallFailed { call, reason }),
                Word::Overflowed => events.send(MediaEvent::Overflowed { call }),
                Word::Began => events.send(MediaEvent::FeedBegan { call }),
            }
        };
        let result = (|| {
            let (media, end) = match &part {
                Part::Answer { plan, .. } => (plan.media.clone(), build::End::Answers),
                Part::Offer { rendition, sound } => (propose::media(*rendition, *sound), build::End::Offers),
            };
            let webrtc = build::webrtcbin(&pipeline, &ice, &ways)?;
            let outbox = Arc::new(Outbox::new(call, &media, ice.announce.clone()));
            let again = Arc::<Again>::default();
            let reports = Reports::new(call, again.clone(), events.clone());
            let gates = Arc::<Gates>::default();
            let notes = (&gates, &inquiries);
            signals::connect(&webrtc, call, events, &outbox, (&again, &reports), notes, ear);
            let common = build::Common { end, again: &again, delay, crew: &crew };
            let entries = build::entries(&webrtc, &media, &common, hear)?;
            gates.set(entries.iter().map(|entry| entry.gate.clone()).collect());
            pipeline.set_state(gst::State::Playing).map_err(|e| failed(&e))?;
            let stage = match part {
                Part::Answer { plan, trickle } => {
                    let at_once = negotiate::answer(&webrtc, &plan.offer)?;
                    let answer = if trickle { at_once } else { negotiate::gathered(&webrtc)? };
                    let answer = announced_in(&answer, &ice.announce);
                    outbox.learn_ufrag(&answer);
                    Stage::Answered { plan: Box::new(plan), answer, trickle }
                }
                Part::Offer { .. } => {
                    negotiate::offer(&webrtc)?;
                    entries.iter().for_each(build::Entry::loosen);
                    let offer = negotiate::gathered(&webrtc)?;
                    Stage::Offered { offer: announced_in(&offer, &ice.announce) }
                }
            };
            let (pipeline, inquiries) = (pipeline.clone(), inquiries.clone());
            Ok(Self { call, pipeline, webrtc, entries, fed: None, again, outbox, inquiries, stage })
        })();
        log::debug!(call = call.0; "negotiated in {:?}", began.elapsed());
        if result.is_err() {
            release(&pipeline, &inquiries);
        }
        result
    }

    /// Reports the answer or the offer.
    pub fn announce(&self, events: &Events) {
        let call = self.call;
        match &self.stage {
            Stage::Answered { answer, trickle, .. } => {
                events.send(MediaEvent::Answered { call, sdp: answer.clone() });
                if *trickle {
                    self.outbox.open(events);
                }
            }
            Stage::Offered { offer } => events.send(MediaEvent::Offered { call, sdp: offer.clone() }),
            Stage::Agreed(_) => {}
        }
    }

    /// Gives webrtcbin the answer to our offer. Blocks; on failure everything is released.
    pub fn take_answer(mut self, accepted: Accepted) -> Result<Self, MediaError> {
        match negotiate::take_answer(&self.webrtc, &accepted.answer) {
            Ok(()) => {
                self.stage = Stage::Agreed(Box::new(accepted));
                Ok(self)
            }
            Err(error) => {
                self.close();
                Err(error)
            }
        }
    }

    /// Draws frames from the producers there are, and from no others. Before both ends have agreed there is nobody to
    /// draw them for.
    pub fn attach(&mut self, producers: &Producers) {
        if matches!(self.stage, Stage::Offered { .. }) {
            return;
        }
        for entry in &self.entries {
            let fed = match entry.codec {
                Codec::Video(rendition) => self.fed.unwrap_or(Some(rendition)),
                Codec::Opus => None,
            };
            let fan = match entry.codec {
                Codec::Video(_) => fed.and_then(|picture| producers.pictures.get(&picture)),
                Codec::Opus => producers.sound.as_ref(),
            };
            // The full picture is waited for with the small one; for the small one what there was is too much, unless it takes
            // as long as the camera likes.
            let had = entry.gate.shows().filter(|had| producers.pictures.values().any(|now| now == had));
            let keeps =
                fed.zip(had).is_some_and(|(picture, had)| !picture.is_small() || had.is_the_camera_s());
            match fan {
                _ if fan == entry.gate.draws_from().as_ref() => {}
                Some(fan) if keeps => entry.gate.go_over_to(fan),
                None if keeps => {}
                _ => entry.gate.draw_from(fan),
            }
        }
    }

    /// Sends this picture from now on, or none.
    pub fn feed(&mut self, picture: Option<Rendition>, producers: &Producers) {
        self.fed = Some(picture);
        self.again.forget();
        self.attach(producers);
    }

    /// Whether the picture that is sent is the camera's own encoding.
    pub fn shows_what_the_camera_encodes(&self) -> bool {
        self.entries.iter().filter_map(|entry| entry.gate.shows()).any(|fan| fan.is_the_camera_s())
    }

    /// What the picture is sent again with.
    pub fn again(&self) -> Arc<Again> {
        self.again.clone()
    }

    /// Takes one of the viewer's candidates. One of another offer has no place here.
    pub fn add_candidate(&self, candidate: &Candidate) {
        let line = match &self.stage {
            Stage::Answered { plan, .. } => plan.line_of(candidate),
            Stage::Agreed(accepted) => accepted.line_of(candidate),
            Stage::Offered { .. } => None,
        };
        if let Some(line) = line.and_then(|line| u32::try_from(line).ok()) {
            self.webrtc.emit_by_name::<()>("add-ice-candidate", &[&line, &candidate.candidate]);
        }
    }

    /// Releases everything. Blocks until the last thread has ended.
    pub fn close(self) {
        // Whoever sends meanwhile would wait for a pipeline that is half stopped.
        for entry in &self.entries {
            entry.gate.close();
        }
        release(&self.pipeline, &self.inquiries);
    }
}

/// Stops a call's pipeline and takes webrtcbin out of it: it leaves a thread behind where its bin goes first.
fn release(pipeline: &gst::Pipeline, inquiries: &Inquiries) {
    if !inquiries.close(INQUIRY) {
        log::debug!("{}: webrtcbin has not answered what it was asked", pipeline.name());
    }
    stop(pipeline);
    for element in pipeline.children() {
        let _ = pipeline.remove(&element);
    }
}
