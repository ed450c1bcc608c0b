//! Who may talk, who is heard, and who is told. What the speaker does is said by the test.

#![allow(clippy::unwrap_used)]

mod desk;

use desk::keys::{Knock, key};
use desk::*;
use porthole_core::access::proof::{self, Around};
use porthole_core::access::{Key, Label, Role};
use porthole_core::command::{Command, Level};
use porthole_core::config::settings::{Access, Talkers};
use porthole_core::event::{Event, MediaEvent};
use porthole_core::ids::CallId;
use porthole_core::order::Order;
use porthole_core::speaker::{PlayState, SpeakerState, Task, Word};
use porthole_core::wire::{Floor, May, Outgoing, Reason, limits};
use serde_json::{Value, json};

#[test]
fn whoever_asks_is_heard_everybody_is_told_and_nobody_else_is_until_they_have_finished() {
    let mut desk = house();
    let (anna, bert) = (live(&mut desk, "anna", "1"), live(&mut desk, "bert", "1"));
    desk.expect(
        wants("anna", "ask"),
        [open(anna), answered("anna", May::Talk, true, 0), told("bert", May::Talk, false, 1)],
    );
    assert_eq!(desk.board.status().speaker.talkers, 1);
    // Bert is told again, and not heard.
    desk.expect(wants("bert", "ask"), [answered("bert", May::Talk, false, 1)]);
    // Whoever is heard already may ask as often as they like.
    desk.expect(wants("anna", "ask"), [answered("anna", May::Talk, true, 0)]);
    desk.expect(
        wants("anna", "give"),
        [close(anna), answered("anna", May::Talk, false, 0), answered("bert", May::Talk, false, 0)],
    );
    desk.ignores(wants("anna", "give"));
    desk.expect(
        wants("bert", "ask"),
        [open(bert), answered("anna", May::Talk, false, 1), answered("bert", May::Talk, true, 0)],
    );
}

#[test]
fn whoever_comes_while_somebody_talks_is_told_so() {
    let mut desk = house();
    live(&mut desk, "anna", "1");
    desk.on(wants("anna", "ask"));
    let bert = connecting(&mut desk, "bert", "1");
    let commands = desk.on(connected(bert));
    assert!(commands.contains(&told("bert", May::Talk, false, 1)), "{commands:?}");
}

#[test]
fn the_floor_is_taken_back_from_whoever_sends_nothing() {
    let mut desk = house();
    let anna = live(&mut desk, "anna", "1");
    desk.on(wants("anna", "ask"));
    desk.ignores(speaker(Word::Runs));
    for _ in 0..10 {
        desk.listens(limits::FLOOR_SILENCE - millis(1), []);
        desk.ignores(speaker(Word::Spoke(CallId(anna))));
    }
    desk.listens(limits::FLOOR_SILENCE, [close(anna), answered("anna", May::Talk, false, 0)]);
    // What is heard afterwards changes nothing.
    desk.ignores(speaker(Word::Spoke(CallId(anna))));
    assert_eq!(desk.board.status().speaker.talkers, 0);
}

#[test]
fn a_call_that_ends_closes_its_ear_before_it_is_hung_up_and_gives_the_floor_back() {
    let mut desk = house();
    let (anna, _) = (live(&mut desk, "anna", "1"), live(&mut desk, "bert", "1"));
    desk.on(wants("anna", "ask"));
    desk.expect(bye("anna", "1"), [close(anna), hang_up(anna), told("bert", May::Talk, false, 0)]);
}

#[test]
fn a_call_that_is_replaced_does_not_talk_on_in_the_new_one() {
    let mut desk = house();
    let first = live(&mut desk, "anna", "1");
    desk.on(wants("anna", "ask"));
    let second = connecting(&mut desk, "anna", "2");
    let commands = desk.on(connected(second));
    assert!(commands.contains(&close(first)), "{commands:?}");
    assert_eq!(desk.board.status().speaker.talkers, 0);
    // Nor can the old one ask any more.
    desk.ignores(wants("anna", "ask"));
}

#[test]
fn a_page_that_only_listens_is_not_heard_whatever_it_asks() {
    let mut desk = house();
    desk.live("anna", "1");
    desk.expect(wants("anna", "ask"), [answered("anna", May::NotAllowed, false, 0)]);
}

#[test]
fn only_a_live_call_is_heard() {
    let mut desk = house();
    connecting(&mut desk, "anna", "1");
    desk.ignores(wants("anna", "ask"));
    desk.ignores(wants("nobody", "ask"));
}

#[test]
fn several_may_be_mixed_but_not_everybody() {
    let mut desk = house_with(Talkers::Mix);
    let names: Vec<String> = (0..=limits::TALKERS).map(|number| format!("viewer{number}")).collect();
    let calls: Vec<u64> = names.iter().map(|name| live(&mut desk, name, "1")).collect();
    for (name, call) in names.iter().zip(&calls).take(limits::TALKERS) {
        assert!(desk.on(wants(name, "ask")).contains(&open(*call)), "{name}");
    }
    assert_eq!(desk.board.status().speaker.talkers, limits::TALKERS);
    let (last, crowd) = (&names[limits::TALKERS], limits::TALKERS);
    desk.expect(wants(last, "ask"), [answered(last, May::Talk, false, crowd)]);
    assert!(desk.on(wants(&names[0], "give")).contains(&close(calls[0])));
    assert!(desk.on(wants(last, "ask")).contains(&open(calls[limits::TALKERS])));
}

#[test]
fn a_manager_may_take_the_floor_and_nobody_else() {
    let (boss, guest) = (key("boss"), Key { role: Role::Talk, ..key("guest") });
    let mut desk = keyed(&[boss.clone(), guest.clone()]);
    let theirs = desk.live_with(&knock(&guest, "guest", "1"));
    let own = desk.live_with(&knock(&boss, "boss", "1"));
    let (boss_name, guest_name) = ("boss's phone", "guest's phone");
    desk.on(proves(&guest, "guest", "ask", 1));
    // Not by asking.
    desk.expect(proves(&boss, "boss", "ask", 1), [told_by("boss", May::Manage, false, &[guest_name], 1)]);
    desk.expect(
        proves(&boss, "boss", "take", 2),
        [
            close(theirs),
            open(own),
            told_by("guest", May::Talk, false, &[boss_name], 1),
            told_by("boss", May::Manage, true, &[], 2),
        ],
    );
    desk.expect(proves(&guest, "guest", "take", 2), [told_by("guest", May::Talk, false, &[boss_name], 2)]);
}

#[test]
fn a_key_for_watching_may_ask_as_it_likes_and_is_never_heard() {
    let watcher = Key { role: Role::Watch, ..key("watcher") };
    let mut desk = keyed(std::slice::from_ref(&watcher));
    desk.live_with(&knock(&watcher, "watcher", "1"));
    for (turn, want) in (1..).zip(["ask", "take", "give", "ask"]) {
        let answer = [told_by("watcher", May::NotAllowed, false, &[], turn)];
        desk.expect(proves(&watcher, "watcher", want, turn), answer);
    }
    assert_eq!(desk.refusals(Reason::NotAllowed), 3);
    assert_eq!(desk.board.status().speaker.talkers, 0);
}

#[test]
fn whoever_vouches_only_who_proves_the_key_of_the_call_asks_and_each_proof_counts_once() {
    let anna = key("anna");
    let mut desk = Desk::keyed_with(std::slice::from_ref(&anna), |settings| {
        settings.relay = keys::porthole_elsewhere();
        settings.talk = Some(Talkers::One);
    });
    desk.on(speaker(Word::Found(true)));
    let call = desk.live_with(&knock(&anna, "anna", "1").unvouched());
    desk.ignores(says(None, "talk", wish("anna", "ask", 1, None)));
    desk.ignores(wants("anna", "ask"));
    desk.ignores(says(None, "talk", wish("anna", "ask", 1, Some("nonsense"))));
    assert_eq!(desk.refusals(Reason::NotAllowed), 3);
    let proved = |want: &str, turn| {
        let around = Around { room: ROOM, from: "anna", to: ME, call: "1" };
        let proof = proof::of_talk(&anna.secret, around, want, turn);
        says(None, "talk", wish("anna", want, turn, Some(&proof)))
    };
    let mine = |yours, turn| floor("anna", Floor { may: May::Manage, yours, talkers: vec![], turn });
    let ask = proved("ask", 5);
    desk.expect(ask.clone(), [open(call), mine(true, 5)]);
    // Neither the wish nor the end of it can be repeated by who has heard it.
    desk.expect(proved("give", 6), [close(call), mine(false, 6)]);
    desk.ignores(ask);
    desk.ignores(proved("give", 6));
    assert_eq!(desk.refusals(Reason::NotAllowed), 5);
    desk.expect(proved("ask", 7), [open(call), mine(true, 7)]);
}

#[test]
fn a_relay_of_somebody_else_is_not_told_whose_key_talks() {
    let (anna, bert) = (key("anna"), key("bert"));
    let mut desk = Desk::keyed_with(&[anna.clone(), bert.clone()], |settings| {
        settings.relay = keys::porthole_elsewhere();
        settings.talk = Some(Talkers::One);
    });
    desk.on(speaker(Word::Found(true)));
    desk.live_with(&knock(&anna, "anna", "1").unvouched());
    desk.live_with(&knock(&bert, "bert", "1").unvouched());
    let around = Around { room: ROOM, from: "anna", to: ME, call: "1" };
    let proof = proof::of_talk(&anna.secret, around, "ask", 1);
    let commands = desk.on(says(None, "talk", wish("anna", "ask", 1, Some(&proof))));
    assert!(commands.contains(&told("bert", May::Manage, false, 1)), "{commands:?}");
}

#[test]
fn where_there_is_no_speaker_that_is_said_and_nobody_is_heard() {
    let mut desk = silent_house(Talkers::One);
    desk.on(speaker(Word::Found(false)));
    let anna = connecting(&mut desk, "anna", "1");
    let commands = desk.on(connected(anna));
    assert!(commands.contains(&told("anna", May::NoSpeaker, false, 0)), "{commands:?}");
    desk.expect(wants("anna", "ask"), [answered("anna", May::NoSpeaker, false, 0)]);
    // One that is plugged in is told, and one that is unplugged while somebody talks.
    desk.expect(speaker(Word::Found(true)), [answered("anna", May::Talk, false, 0)]);
    desk.on(wants("anna", "ask"));
    desk.expect(speaker(Word::Found(false)), [close(anna), answered("anna", May::NoSpeaker, false, 0)]);
}

#[test]
fn where_no_talking_is_wanted_nothing_is_said_of_it() {
    let mut desk = Desk::local();
    desk.ignores(speaker(Word::Found(true)));
    live(&mut desk, "anna", "1");
    desk.ignores(wants("anna", "ask"));
    assert_eq!(desk.board.status().speaker.talkers, 0);
}

#[test]
fn a_speaker_that_fails_or_hangs_gives_the_floor_back_and_is_tried_again_when_somebody_asks() {
    let mut desk = house();
    let anna = live(&mut desk, "anna", "1");
    desk.on(wants("anna", "ask"));
    assert_eq!(desk.board.status().speaker.state, SpeakerState::Starting);
    desk.noted();
    let lost = || [close(anna), answered("anna", May::SpeakerLost, false, 0)];
    desk.expect(speaker(Word::Failed { reason: "hw:0 is busy: close the other program".into() }), lost());
    let noted = desk.noted();
    assert!(noted.iter().any(|(level, text)| *level == Level::Warn && text.contains("close the other")));
    assert_eq!(desk.board.status().speaker.state, SpeakerState::Lost);
    desk.expect(wants("anna", "ask"), [open(anna), answered("anna", May::Talk, true, 0)]);
    desk.ignores(speaker(Word::Runs));
    assert_eq!(desk.board.status().speaker.state, SpeakerState::Running);
    desk.on(wants("anna", "give"));
    desk.ignores(speaker(Word::Released));
    assert_eq!(desk.board.status().speaker.state, SpeakerState::Idle);
    // It hangs: what was heard of the viewer does not help.
    desk.on(wants("anna", "ask"));
    let almost = limits::SPEAKER_PATIENCE - secs(2);
    desk.listens(almost, []);
    desk.ignores(speaker(Word::Spoke(CallId(anna))));
    desk.listens(secs(2), lost());
}

#[test]
fn how_loud_it_is_is_known_while_it_is_open() {
    let mut desk = house();
    live(&mut desk, "anna", "1");
    desk.on(wants("anna", "ask"));
    desk.ignores(speaker(Word::Level(-20)));
    assert_eq!(desk.board.status().speaker.level, None);
    desk.ignores(speaker(Word::Runs));
    desk.ignores(speaker(Word::Level(-18)));
    assert_eq!(desk.board.status().speaker.level, Some(-18));
    desk.ignores(speaker(Word::Released));
    assert_eq!(desk.board.status().speaker.level, None);
}

#[test]
fn a_wish_too_many_is_refused_and_counted() {
    let mut desk = house();
    live(&mut desk, "anna", "1");
    for _ in 0..limits::TALKS_PER_WINDOW {
        assert!(!desk.on(wants("anna", "ask")).is_empty());
    }
    desk.ignores(wants("anna", "ask"));
    assert_eq!(desk.refusals(Reason::TooOften), 1);
}

#[test]
fn a_page_that_is_not_ours_is_neither_told_nor_heard() {
    let mut desk = silent_house(Talkers::One);
    desk.board = {
        let mut open = Desk::with(|settings| {
            settings.room.access = Access::Open;
            settings.talk = Some(Talkers::One);
        });
        open.on(speaker(Word::Found(true)));
        open.board
    };
    let commands = desk.on(tutorial_offer(Some("anon-1"), &talking("tuto")));
    let id = commands
        .iter()
        .find_map(|command| if let Command::Answer { call, .. } = command { Some(call.0) } else { None })
        .unwrap();
    let answered = desk.answered(id);
    desk.on(answered);
    desk.expect(connected(id), [ForceKeyFrame(H264)]);
    desk.ignores(says(Some("anon-1"), "talk", json!({ "want": "ask", "turn": 1 })));
    assert_eq!(desk.board.status().speaker.talkers, 0);
}

#[test]
fn who_may_order_has_a_file_played_and_hears_what_became_of_it() {
    let mut desk = house();
    let play = |file: &str, volume| Event::Order(Order::Play { file: file.into(), volume });
    let task = |number, volume| Command::Speaker(Task::Play { number, file: "/chime.wav".into(), volume });
    let state = |desk: &Desk| desk.board.status().played.map(|played| played.state);
    desk.expect(play("/chime.wav", Some(9_999)), [task(1, Order::LOUDEST)]);
    assert_eq!(state(&desk), Some(PlayState::Starting));
    desk.ignores(speaker(Word::Runs));
    desk.ignores(speaker(Word::Played { number: 1, state: PlayState::Playing }));
    assert!(desk.board.status().speaker.playing);
    desk.expect(play("/chime.wav", None), [task(2, 100)]);
    // What is late of the first says nothing of the second.
    desk.ignores(speaker(Word::Played { number: 1, state: PlayState::Ended }));
    assert_eq!(state(&desk), Some(PlayState::Starting));
    desk.ignores(speaker(Word::Played { number: 2, state: PlayState::Failed("no sound in it".into()) }));
    assert_eq!(state(&desk), Some(PlayState::Failed("no sound in it".into())));
    desk.expect(Event::Order(Order::StopPlaying {}), [Command::Speaker(Task::StopPlaying)]);
    desk.ignores(play("chime.wav", None));
    let Some(PlayState::Failed(why)) = state(&desk) else { panic!() };
    assert!(why.contains("full path"), "{why}");
    desk.on(speaker(Word::Found(false)));
    desk.ignores(play("/chime.wav", None));
    let Some(PlayState::Failed(why)) = state(&desk) else { panic!() };
    assert!(why.contains("[speaker]"), "{why}");
}

#[test]
fn at_the_end_nobody_is_heard() {
    let mut desk = house();
    let anna = live(&mut desk, "anna", "1");
    desk.on(wants("anna", "ask"));
    let commands = desk.on(shutdown());
    assert!(commands.contains(&close(anna)), "{commands:?}");
    desk.ignores(wants("anna", "ask"));
}

// ---- the small language of these tests -------------------------------------------------------------------------

/// Pages on this machine may talk, one at a time, and there is a speaker.
fn house() -> Desk {
    house_with(Talkers::One)
}

fn house_with(rule: Talkers) -> Desk {
    let mut desk = silent_house(rule);
    desk.on(speaker(Word::Found(true)));
    desk
}

/// The same, and nobody has looked for a speaker yet.
fn silent_house(rule: Talkers) -> Desk {
    Desk::with(|settings| settings.talk = Some(rule))
}

fn keyed(held: &[Key]) -> Desk {
    let mut desk = Desk::keyed_with(held, |settings| settings.talk = Some(Talkers::One));
    desk.on(speaker(Word::Found(true)));
    desk
}

/// An offer of somebody who may talk, in a call of their own.
fn talking(ufrag: &str) -> String {
    let sdp = chromium(ufrag);
    let (before, after) = sdp.rsplit_once("a=recvonly").unwrap();
    format!("{before}a=sendrecv{after}")
}

fn knock(key: &Key, who: &str, call: &str) -> Knock {
    Knock::with_sdp(key, who, call, &talking(&ufrag(who, call)))
}

fn connecting(desk: &mut Desk, who: &str, tag: &str) -> u64 {
    let commands = desk.on(offer_of(who, tag, &talking(&ufrag(who, tag))));
    let call = commands.iter().find_map(|command| match command {
        Command::Answer { call, .. } => Some(call.0),
        _ => None,
    });
    let id = call.unwrap_or_else(|| panic!("not answered: {commands:?}"));
    let answered = desk.answered(id);
    desk.on(answered);
    id
}

fn live(desk: &mut Desk, who: &str, tag: &str) -> u64 {
    let id = connecting(desk, who, tag);
    desk.on(connected(id));
    id
}

fn speaker(word: Word) -> Event {
    Event::Media(MediaEvent::Speaker(word))
}

/// In the first call of this viewer, through a relay that vouches for it.
fn wants(who: &str, want: &str) -> Event {
    says(Some(who), "talk", wish(who, want, 1, None))
}

/// The same, proved with the key of the call, and vouched for.
fn proves(key: &Key, who: &str, want: &str, turn: u64) -> Event {
    let around = Around { room: ROOM, from: who, to: ME, call: "1" };
    let proof = proof::of_talk(&key.secret, around, want, turn);
    says(Some(who), "talk", wish(who, want, turn, Some(&proof)))
}

fn wish(who: &str, want: &str, turn: u64, proof: Option<&str>) -> Value {
    let mut wish = json!({ "room": ROOM, "from": who, "to": ME, "call": "1", "want": want, "turn": turn });
    if let Some(proof) = proof {
        wish["proof"] = json!(proof);
    }
    wish
}

fn open(call: u64) -> Command {
    Command::Speaker(Task::OpenEar(CallId(call)))
}

fn close(call: u64) -> Command {
    Command::Speaker(Task::CloseEar(CallId(call)))
}

/// What a viewer is told that has never wanted anything; `others` talk, and have no names.
fn told(who: &str, may: May, yours: bool, others: usize) -> Command {
    floor(who, Floor { may, yours, talkers: vec![None; others], turn: 0 })
}

/// The same of one that has.
fn answered(who: &str, may: May, yours: bool, others: usize) -> Command {
    floor(who, Floor { may, yours, talkers: vec![None; others], turn: 1 })
}

fn told_by(who: &str, may: May, yours: bool, others: &[&str], turn: u64) -> Command {
    let talkers = others.iter().map(|name| Some(Label::new(name).unwrap())).collect();
    floor(who, Floor { may, yours, talkers, turn })
}

fn floor(who: &str, floor: Floor) -> Command {
    Command::Send(Outgoing::floor(&address(Some(who), Some("1")), &floor))
}
