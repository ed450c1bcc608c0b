//! Gates that go over from one fan to another.

use super::*;

#[test]
fn what_is_sent_goes_on_until_the_first_key_frame_of_what_takes_its_place() {
    let ((small, small_wishes), (full, full_wishes)) = (fan(), fan());
    let viewer = Viewer::new("video");
    viewer.gate.open();
    viewer.gate.draw_from(Some(&small));
    small.give(key(0));
    assert_eq!(viewer.begins.load(Ordering::Relaxed), 1);
    viewer.gate.go_over_to(&full);
    full.give(delta(1));
    small.give(delta(2));
    assert_eq!((viewer.gate.draws_from(), viewer.gate.shows()), (Some(full.clone()), Some(small.clone())));
    // What the viewer misses meanwhile is of what it sees.
    assert!(viewer.pad.push_event(gst_video::UpstreamForceKeyUnitEvent::builder().build()));
    assert_eq!((small_wishes.load(Ordering::Relaxed), full_wishes.load(Ordering::Relaxed)), (2, 1));
    assert_eq!(viewer.begins.load(Ordering::Relaxed), 1);
    full.give(key(3));
    assert_eq!(viewer.begins.load(Ordering::Relaxed), 2);
    small.give(key(4));
    full.give(delta(5));
    assert_eq!((0..4).map(|_| viewer.shows()).collect::<Vec<_>>(), [0, 2, 3, 5]);
    assert_eq!((viewer.gate.shows(), small.gates().len()), (Some(full), 0));
}

#[test]
fn whoever_goes_back_before_that_misses_nothing_and_gets_no_frame_twice() {
    let ((small, _), (full, _), (third, _)) = (fan(), fan(), fan());
    let viewer = Viewer::new("video");
    viewer.gate.open();
    viewer.gate.draw_from(Some(&small));
    small.give(key(0));
    viewer.gate.go_over_to(&full);
    viewer.gate.go_over_to(&third);
    viewer.gate.draw_from(Some(&small));
    small.give(delta(1));
    assert_eq!(viewer.begins.load(Ordering::Relaxed), 2, "whoever waits for it hears that it is there");
    full.give(key(2));
    third.give(key(3));
    small.give(delta(4));
    assert_eq!([viewer.shows(), viewer.shows(), viewer.shows()], [0, 1, 4]);
    // One that has shown nothing yet has nothing to go on with.
    let other = Viewer::new("video");
    other.gate.open();
    other.gate.draw_from(Some(&small));
    other.gate.go_over_to(&full);
    small.give(key(5));
    full.give(key(6));
    assert_eq!(other.shows(), 6);
}

#[test]
fn viewers_that_go_over_both_ways_at_any_moment_hold_up_nobody() {
    let (fans, crew, over) = ([fan().0, fan().0], Crew::new(), AtomicBool::new(false));
    let viewers: Vec<_> = (0..8).map(|_| Viewer::with("video", &crew)).collect();
    for viewer in &viewers {
        viewer.gate.open();
        viewer.gate.draw_from(Some(&fans[0]));
    }
    let ends = &over;
    std::thread::scope(|scope| {
        for fan in &fans {
            scope.spawn(move || {
                let mut at = 0;
                while !ends.load(Ordering::Relaxed) {
                    fan.give(key(at));
                    at += 1;
                }
            });
        }
        for round in 0..2000 {
            for (place, viewer) in viewers.iter().enumerate() {
                viewer.gate.go_over_to(&fans[(round + place) % 2]);
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    for viewer in &viewers {
        let begun = viewer.begins.load(Ordering::Relaxed);
        viewer.gate.go_over_to(&fans[0]);
        fans[0].give(key(0));
        assert_eq!(viewer.begins.load(Ordering::Relaxed), begun + 1);
    }
}
