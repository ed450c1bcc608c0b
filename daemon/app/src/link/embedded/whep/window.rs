//! Requests that wait for the desk: each is handed over as an event, and gets the one response that the desk has for it.
//! Must not know HTTP, nor what is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use porthole_core::event::LinkEvent;
use porthole_core::whep::{Request, RequestId, Response};
use tokio::sync::oneshot;

use crate::link::Events;

/// Most requests that may wait at once. The desk answers all at once but those whose call it makes, of which there are
/// few.
pub const WAITING: usize = 64;

/// Where players ask, and are answered.
#[derive(Debug, Clone)]
pub struct Window {
    desk: Events,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    requests: HashMap<RequestId, oneshot::Sender<Response>>,
}

/// A place in the queue, given up when whoever waits goes away.
struct Ticket<'a> {
    window: &'a Window,
    id: RequestId,
}

impl Window {
    /// A window in front of the desk.
    pub fn new(desk: Events) -> Self {
        Self { desk, waiting: Arc::default() }
    }

    /// Asks, and waits for the response; `None` where too many wait already, or the desk is too far behind or gone.
    pub async fn ask(&self, request: impl FnOnce(RequestId) -> Request) -> Option<Response> {
        let (ticket, response) = self.queue()?;
        if !self.desk.report(LinkEvent::Request(request(ticket.id))) {
            return None;
        }
        response.await.ok()
    }

    /// The desk has a response. Nothing happens where nobody waits for it any more.
    pub fn respond(&self, id: RequestId, response: Response) {
        let waiting = self.lock().requests.remove(&id);
        if let Some(waiting) = waiting {
            let _ = waiting.send(response);
        }
    }

    /// How many requests wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.lock().requests.len()
    }

    fn queue(&self) -> Option<(Ticket<'_>, oneshot::Receiver<Response>)> {
        let (sender, response) = oneshot::channel();
        let mut waiting = self.lock();
        if waiting.requests.len() >= WAITING {
            return None;
        }
        waiting.last += 1;
        let id = RequestId(waiting.last);
        waiting.requests.insert(id, sender);
        Some((Ticket { window: self, id }, response))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.window.lock().requests.remove(&self.id);
    }
}
