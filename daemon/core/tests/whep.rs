//! Players that watch over HTTP alone: who is answered, what becomes of their calls, and what strangers get.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::keys::*;
use desk::*;
use porthole_core::access::Key;
use porthole_core::command::Command;
use porthole_core::config::settings::Access;
use porthole_core::event::{Event, LinkEvent};
use porthole_core::ids::CallId;
use porthole_core::sdp::choose::Direction;
use porthole_core::status::CaptureState;
use porthole_core::whep::{Ask, Bearer, Credentials, Matches, Place, Refusal, Request, RequestId, Response};
use porthole_core::wire::{Candidate, Reason, limits};

// ---- being let in ----------------------------------------------------------------------------------------------

#[test]
fn whoever_shows_a_key_is_answered_with_everything_in_one_response() {
    let hub = key("hub");
    let mut desk = Desk::keyed(std::slice::from_ref(&hub));
    let commands = desk.on(watch(1, "p1", Some(&hub)));
    let [StartCapture, StartRendition(H264), Command::Answer { call: CallId(1), plan, trickle: false }] =
        &commands[..]
    else {
        panic!("{commands:?}")
    };
    assert!(plan.media.iter().all(|line| line.direction == Direction::SendOnly), "{:?}", plan.media);
    let answered = desk.answered(1);
    let (place, tag, answer) = watching(&desk.on(answered), 1);
    assert_eq!((place.as_str(), tag.as_str()), (long("p1").as_str(), "ice-1"));
    assert_eq!(answer.matches("a=sendonly\r\n").count(), 2, "{answer}");
    assert_eq!(answer.matches("a=msid:porthole ").count(), 2, "{answer}");
    desk.ignores(found(1, 7));
    assert_eq!(desk.on(connected(1)), [ForceKeyFrame(H264)]);
    let [viewer] = &desk.board.status().viewers[..] else { panic!("{:?}", desk.board.status().viewers) };
    let holder = viewer.holder.as_ref().map(|holder| holder.name.as_str());
    assert_eq!((holder, viewer.live), (Some("hub's phone"), true));
    assert_eq!(desk.board.status().refusals.len(), 0);
}

#[test]
fn where_nobody_is_asked_for_a_key_none_is_looked_at() {
    for access in [Access::Local, Access::Open] {
        let mut desk = Desk::with(|settings| settings.room.access = access);
        for (number, credentials) in [(1, Credentials::None), (2, Credentials::Wrong)] {
            let place = format!("p{number}");
            let offer = chromium(&ufrag("hub", &place));
            let ask = Ask::Watch { place: at(&place), offer };
            let request = Request { private: false, credentials, ..request(number, None, ask) };
            let commands = desk.on(Event::Link(LinkEvent::Request(request)));
            assert!(commands.iter().any(|command| matches!(command, Command::Answer { .. })), "{commands:?}");
        }
        assert_eq!(desk.board.status().calls, 2);
        assert!(desk.board.status().viewers.iter().all(|viewer| viewer.holder.is_none()));
    }
}

#[test]
fn whoever_shows_no_key_a_wrong_one_or_anothers_gets_nothing() {
    let (hub, stranger) = (key("hub"), key("stranger"));
    let mixed = Key { secret: stranger.secret.clone(), ..hub.clone() };
    let mut desk = Desk::keyed(std::slice::from_ref(&hub));
    for (number, credentials, refusal) in [
        (1, Credentials::None, Refusal::NoKey),
        (2, Credentials::Wrong, Refusal::Call(Reason::NotAllowed)),
        (3, bearer(&stranger), Refusal::Call(Reason::NotAllowed)),
        (4, bearer(&mixed), Refusal::Call(Reason::NotAllowed)),
    ] {
        desk.expect(watch_with(number, "p1", credentials), [refused_with(number, refusal)]);
        desk.sleep(limits::DOUBT_MOST);
    }
    assert_eq!(desk.refusals(Reason::NotAllowed), 4);
    assert_eq!((desk.board.status().calls, desk.board.status().capture), (0, CaptureState::Idle));
}

#[test]
fn a_key_that_others_could_have_read_is_not_even_looked_at() {
    let hub = key("hub");
    let mut desk = Desk::keyed(std::slice::from_ref(&hub));
    let offer = chromium(&ufrag("hub", "p1"));
    let ask = Ask::Watch { place: at("p1"), offer };
    let in_the_clear = |request| Event::Link(LinkEvent::Request(Request { private: false, ..request }));
    let asked = in_the_clear(request(1, Some(&hub), ask.clone()));
    desk.expect(asked, [refused_with(1, Refusal::NotPrivate { shown: true })]);
    assert_eq!(desk.refusals(Reason::NotAllowed), 1);
    let asked = in_the_clear(request(2, None, ask));
    desk.expect(asked, [refused_with(2, Refusal::NotPrivate { shown: false })]);
}

#[test]
fn that_a_key_has_expired_is_said_to_who_has_it_and_to_nobody_else() {
    let guest = Key { until: Some(TODAY), ..key("guest") };
    let mixed = Key { secret: key("stranger").secret, ..guest.clone() };
    let mut desk = Desk::keyed(std::slice::from_ref(&guest));
    desk.expect(watch(1, "p1", Some(&guest)), [refused_with(1, Refusal::Call(Reason::ExpiredKey))]);
    desk.expect(watch(2, "p1", Some(&mixed)), [refused_with(2, Refusal::Call(Reason::NotAllowed))]);
}

#[test]
fn whoever_shows_wrong_keys_is_slowed_down_and_a_right_one_from_there_is_heard() {
    let (hub, stranger) = (key("hub"), key("stranger"));
    let mut desk = Desk::keyed(std::slice::from_ref(&hub));
    let wrong = |number| watch(number, "p1", Some(&stranger));
    let not_allowed = |number| [refused_with(number, Refusal::Call(Reason::NotAllowed))];
    let too_often = |number| [refused_with(number, Refusal::Call(Reason::TooOften))];
    desk.expect(wrong(1), not_allowed(1));
    desk.expect(wrong(2), too_often(2));
    desk.sleep(limits::DOUBT);
    desk.expect(wrong(3), not_allowed(3));
    desk.sleep(limits::DOUBT);
    desk.expect(wrong(4), too_often(4));
    // Others in the same network share the address.
    assert_eq!(desk.on(watch(5, "p2", Some(&hub))).len(), 3);
    assert_eq!((desk.refusals(Reason::NotAllowed), desk.refusals(Reason::TooOften)), (2, 2));
    assert_eq!(desk.board.kept().doubted_peers, 0);
}

#[test]
fn wrong_keys_from_everywhere_make_nothing_grow() {
    let (hub, stranger) = (key("hub"), key("stranger"));
    let mut desk = Desk::keyed(std::slice::from_ref(&hub));
    for number in 0..2000 {
        let ask = Ask::Watch { place: at("p1"), offer: String::new() };
        let from = name(&format!("198.51.{}.{}", number / 250, number % 250));
        let request = Request { from, ..request(number, Some(&stranger), ask) };
        assert_eq!(desk.on(Event::Link(LinkEvent::Request(request))).len(), 1);
    }
    let kept = desk.board.kept();
    assert!(kept.doubted_peers <= limits::COUNTED_PEERS, "{kept:?}");
    assert_eq!(desk.refusals(Reason::NotAllowed), 2000);
}

#[test]
fn a_key_that_was_taken_back_says_so_and_ends_its_calls() {
    let (hub, wall) = (key("hub"), key("wall"));
    let mut desk = Desk::keyed(&[hub.clone(), wall.clone()]);
    let (one, other) = (live(&mut desk, 1, "p1", &hub), live(&mut desk, 2, "p2", &wall));
    assert_eq!((one, other), (1, 2));
    desk.expect(without(&[hub.clone(), wall.clone()], &hub), [hang_up(1)]);
    desk.expect(watch(3, "p3", Some(&hub)), [refused_with(3, Refusal::Call(Reason::RevokedKey))]);
    assert_eq!(desk.board.status().live, 1);
}

#[test]
fn one_key_may_ask_so_often_and_no_more() {
    let hub = key("hub");
    let mut desk = Desk::keyed(std::slice::from_ref(&hub));
    let mut taken = 0;
    for number in 1..=40 {
        let place = format!("p{number}");
        let commands = desk.on(watch(number, &place, Some(&hub)));
        if commands.contains(&refused_with(number, Refusal::Call(Reason::TooOften))) {
            assert_eq!(commands.len(), 1);
            continue;
        }
        taken += 1;
        desk.on(hangs_up(1000 + number, &place, Some(&hub)));
        desk.on(closed(taken));
    }
    assert_eq!(taken, limits::OFFERS_PER_WINDOW as u64);
}

#[test]
fn an_open_room_counts_offers_by_address() {
    let mut desk = Desk::open();
    let mut refused = 0;
    for number in 1..=40 {
        let place = format!("p{number}");
        let commands = desk.on(watch(number, &place, None));
        refused += usize::from(commands == [refused_with(number, Refusal::Call(Reason::TooOften))]);
        desk.on(hangs_up(1000 + number, &place, None));
        let calls = 40 - u64::try_from(refused).unwrap();
        desk.on(closed(calls.min(number)));
    }
    assert_eq!(refused, 40 - limits::OFFERS_PER_WINDOW);
}

// ---- what is said of offers ------------------------------------------------------------------------------------

#[test]
fn an_offer_that_is_none_or_fits_nothing_is_refused_with_the_word_for_it() {
    let mut desk = Desk::with(|settings| settings.fallback = porthole_core::config::settings::Fallback::None);
    let long = "a=x\r\n".repeat(limits::SDP_LINES + 1);
    for (number, offer, reason) in [
        (1, "hello", Reason::BadOffer),
        (2, "", Reason::BadOffer),
        (3, long.as_str(), Reason::TooLarge),
        (4, &firefox("abcd0000"), Reason::NoCodec),
    ] {
        let ask = Ask::Watch { place: at("p1"), offer: offer.to_owned() };
        let event = Event::Link(LinkEvent::Request(request(number, None, ask)));
        desk.expect(event, [refused_with(number, Refusal::Call(reason))]);
        assert_eq!(desk.refusals(reason), desk.refusals(reason).max(1));
    }
    assert_eq!(desk.board.status().capture, CaptureState::Idle);
}

#[test]
fn a_full_house_is_said_and_players_count_like_all_viewers() {
    let mut desk = Desk::with(|settings| settings.room.max_calls = 2);
    desk.live("anna", "1");
    desk.on(watch(1, "p1", None));
    desk.expect(watch(2, "p2", None), [refused_with(2, Refusal::Call(Reason::Busy))]);
    desk.expect(offer("bert", "1"), [refused("bert", "1", Reason::Busy)]);
    assert_eq!(desk.refusals(Reason::Busy), 2);
}

#[test]
fn a_camera_that_is_lost_costs_no_player_its_call_and_lets_new_ones_in() {
    let mut desk = Desk::local();
    desk.on(watch(1, "p1", None));
    let lost = desk.on(capture_failed());
    let ends = |command: &Command| matches!(command, Command::Respond { .. } | Command::HangUp { .. });
    assert!(!lost.iter().any(ends), "{lost:?}");
    let next = desk.on(watch(2, "p2", None));
    assert!(next.iter().any(|command| matches!(command, Command::Answer { .. })), "{next:?}");
}

#[test]
fn a_call_that_cannot_be_answered_is_said_and_hung_up() {
    let mut desk = Desk::local();
    desk.on(watch(1, "p1", None));
    desk.expect(
        call_failed(1),
        [refused_with(1, Refusal::Call(Reason::Failed)), hang_up(1), StopRendition(H264)],
    );
    desk.on(closed(1));
    desk.on(watch(2, "p2", None));
    desk.expect(
        answered_with(2, "v=0"),
        [refused_with(2, Refusal::Call(Reason::Failed)), hang_up(2), StopRendition(H264)],
    );
    desk.ignores(answered_with(2, "v=0"));
}

#[test]
fn an_answer_that_takes_too_long_is_not_waited_for() {
    let mut desk = Desk::local();
    desk.on(watch(1, "p1", None));
    let commands = desk.sleep(limits::ANSWER_DEADLINE);
    assert_eq!(commands, [refused_with(1, Refusal::Call(Reason::Failed)), hang_up(1), StopRendition(H264)]);
}

#[test]
fn after_shutdown_nobody_is_left_waiting() {
    let mut desk = Desk::local();
    desk.on(watch(1, "p1", None));
    let commands = desk.on(shutdown());
    assert_eq!(commands[..2], [refused_with(1, Refusal::Call(Reason::ShuttingDown)), hang_up(1)]);
    desk.expect(watch(2, "p2", None), [refused_with(2, Refusal::Call(Reason::ShuttingDown))]);
}

// ---- candidates ------------------------------------------------------------------------------------------------

#[test]
fn candidates_go_to_the_call_at_that_place_with_their_end() {
    let mut desk = Desk::local();
    connecting(&mut desk, 1, "p1");
    connecting(&mut desk, 2, "p2");
    let ufrag = ufrag("hub", "p2");
    let line = "candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host";
    let fragment =
        format!("a=ice-ufrag:{ufrag}\r\nm=audio 9 X 0\r\na=mid:0\r\na={line}\r\na=end-of-candidates\r\n");
    let candidate = Candidate {
        candidate: line.into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: Some(ufrag),
    };
    desk.expect(
        trickle(3, "p2", Matches::OneOf(vec!["other".into(), "ice-2".into()]), &fragment),
        [
            Command::AddCandidate { call: CallId(2), candidate: Some(candidate) },
            add_end(2),
            respond(3, Response::Taken),
        ],
    );
}

#[test]
fn candidates_have_to_say_which_negotiation_they_are_of() {
    let mut desk = Desk::local();
    connecting(&mut desk, 1, "p1");
    let fragment = "a=end-of-candidates";
    desk.expect(trickle(2, "p1", Matches::Unsaid, fragment), [refused_with(2, Refusal::NoMatch)]);
    let other = Matches::OneOf(vec!["ice-2".into()]);
    desk.expect(trickle(3, "p1", other, fragment), [refused_with(3, Refusal::OtherMatch)]);
    desk.expect(trickle(4, "p1", Matches::Any, fragment), [add_end(1), respond(4, Response::Taken)]);
    assert_eq!(desk.board.status().refusals.len(), 0);
}

#[test]
fn ice_is_not_begun_anew_and_the_call_goes_on() {
    let mut desk = Desk::local();
    connecting(&mut desk, 1, "p1");
    let fragment = "a=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\nm=audio 9 X 0\r\na=mid:0\r\n\
                    a=candidate:1 1 udp 7 192.0.2.1 9 typ host\r\n";
    desk.expect(trickle(2, "p1", Matches::Any, fragment), [refused_with(2, Refusal::Restart)]);
    assert_eq!(desk.refusals(Reason::CallAgain), 1);
    assert_eq!(desk.on(connected(1)), [ForceKeyFrame(H264)]);
}

#[test]
fn candidates_that_cannot_be_read_or_are_too_many_are_refused_and_the_call_goes_on() {
    let mut desk = Desk::local();
    connecting(&mut desk, 1, "p1");
    desk.expect(trickle(2, "p1", Matches::Any, "{}"), [refused_with(2, Refusal::Unreadable)]);
    let some = "a=candidate:1 1 udp 7 192.0.2.1 9 typ host\n".repeat(limits::CANDIDATES_PER_CALL);
    assert_eq!(desk.on(trickle(3, "p1", Matches::Any, &some)).len(), limits::CANDIDATES_PER_CALL + 1);
    desk.expect(trickle(4, "p1", Matches::Any, &some), [refused_with(4, Refusal::Call(Reason::TooOften))]);
    assert_eq!(desk.on(connected(1)), [ForceKeyFrame(H264)]);
}

// ---- the end ---------------------------------------------------------------------------------------------------

#[test]
fn a_player_hangs_up_once_and_then_there_is_no_such_call() {
    let mut desk = Desk::local();
    connecting(&mut desk, 1, "p1");
    desk.on(connected(1));
    desk.expect(hangs_up(2, "p1", None), [hang_up(1), respond(2, Response::Ended), StopRendition(H264)]);
    desk.expect(hangs_up(3, "p1", None), [refused_with(3, Refusal::NoCall)]);
    desk.expect(trickle(4, "p1", Matches::Any, "a=end-of-candidates"), [refused_with(4, Refusal::NoCall)]);
    desk.ignores(closed(1));
    desk.passes(secs(10), [StopCapture]);
}

#[test]
fn nobody_hangs_up_or_feeds_another_ones_call() {
    let (hub, wall) = (key("hub"), key("wall"));
    let mut desk = Desk::keyed(&[hub.clone(), wall.clone()]);
    live(&mut desk, 1, "p1", &hub);
    desk.expect(hangs_up(2, "p1", Some(&wall)), [refused_with(2, Refusal::NoCall)]);
    desk.expect(hangs_up(3, "p1", None), [refused_with(3, Refusal::NoKey)]);
    desk.expect(hangs_up(4, "p9", Some(&hub)), [refused_with(4, Refusal::NoCall)]);
    // Nor does a peer in the room that has heard of it in the log.
    desk.on(bye("whep-p1xxxxxx", "1"));
    assert_eq!(desk.board.status().live, 1);
    let commands = desk.on(hangs_up(5, "p1", Some(&hub)));
    assert_eq!(commands[..2], [hang_up(1), respond(5, Response::Ended)]);
}

#[test]
fn a_player_that_vanishes_is_hung_up_and_one_that_never_comes_too() {
    let mut desk = Desk::local();
    connecting(&mut desk, 1, "p1");
    desk.on(connected(1));
    desk.passes(limits::SILENCE, [hang_up(1), StopRendition(H264)]);
    desk.on(closed(1));
    connecting(&mut desk, 2, "p2");
    desk.passes(limits::CONNECT_DEADLINE, [hang_up(2), StopRendition(H264)]);
}

#[test]
fn whoever_watches_in_the_page_is_told_of_players_and_players_of_nobody() {
    let (hub, anna) = (key("hub"), key("anna"));
    let mut desk = Desk::keyed(&[hub.clone(), anna.clone()]);
    desk.on(Knock::new(&anna, "anna", "1").event());
    let answered = desk.answered(1);
    desk.on(answered);
    desk.on(connected(1));
    let id = {
        desk.on(watch(1, "p1", Some(&hub)));
        let answered = desk.answered(2);
        desk.on(answered);
        2
    };
    let told: Vec<_> = desk.on(connected(id)).into_iter().filter(|c| matches!(c, Command::Send(_))).collect();
    assert_eq!(told, [desk::keys::watching("anna", &[(Some("hub's phone"), TODAY)])]);
}

#[test]
fn the_place_of_a_call_is_not_in_any_debug_form_nor_is_a_secret() {
    let hub = key("hub");
    let request = request(1, Some(&hub), Ask::HangUp { place: at("p1") });
    let debug = format!("{request:?}");
    assert!(!debug.contains(&long("p1")) && !debug.contains(&hub.secret.text()), "{debug}");
}

// ---- parts -----------------------------------------------------------------------------------------------------

/// As long as a real one.
fn long(place: &str) -> String {
    format!("{place}{}", "x".repeat(43 - place.len()))
}

fn at(place: &str) -> Place {
    Place::new(name(&long(place)))
}

fn bearer(key: &Key) -> Credentials {
    Credentials::Bearer(Bearer { key: key.id.clone(), secret: key.secret.clone() })
}

fn request(number: u64, key: Option<&Key>, ask: Ask) -> Request {
    let credentials = key.map_or(Credentials::None, bearer);
    Request { id: RequestId(number), from: name("192.0.2.9"), private: true, credentials, ask }
}

fn watch(number: u64, place: &str, key: Option<&Key>) -> Event {
    watch_with(number, place, key.map_or(Credentials::None, bearer))
}

fn watch_with(number: u64, place: &str, credentials: Credentials) -> Event {
    let ask = Ask::Watch { place: at(place), offer: chromium(&ufrag("hub", place)) };
    Event::Link(LinkEvent::Request(Request { credentials, ..request(number, None, ask) }))
}

fn trickle(number: u64, place: &str, matches: Matches, fragment: &str) -> Event {
    let ask = Ask::Trickle { place: at(place), matches, fragment: fragment.to_owned() };
    Event::Link(LinkEvent::Request(request(number, None, ask)))
}

fn hangs_up(number: u64, place: &str, key: Option<&Key>) -> Event {
    Event::Link(LinkEvent::Request(request(number, key, Ask::HangUp { place: at(place) })))
}

fn respond(number: u64, response: Response) -> Command {
    Command::Respond { request: RequestId(number), response }
}

fn refused_with(number: u64, refusal: Refusal) -> Command {
    respond(number, Response::Refused(refusal))
}

/// What the only command says that the player may watch.
fn watching(commands: &[Command], number: u64) -> (Place, String, String) {
    match commands {
        [Command::Respond { request, response: Response::Watching { place, tag, answer } }]
            if *request == RequestId(number) =>
        {
            (place.clone(), tag.clone(), answer.clone())
        }
        other => panic!("{other:?}"),
    }
}

/// A player's call whose answer is out.
fn connecting(desk: &mut Desk, number: u64, place: &str) {
    desk.on(watch(number, place, None));
    let answered = desk.answered(number);
    watching(&desk.on(answered), number);
}

/// A player's call with picture and sound; request and call have the same number.
fn live(desk: &mut Desk, number: u64, place: &str, key: &Key) -> u64 {
    desk.on(watch(number, place, Some(key)));
    let answered = desk.answered(number);
    watching(&desk.on(answered), number);
    desk.on(connected(number));
    number
}
