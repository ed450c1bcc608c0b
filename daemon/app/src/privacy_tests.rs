//! What is remembered of privacy, and by whom, where files and locks are as they should be and where they are not.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn the_last_choice_is_remembered_for_its_room_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut nursery = memory(folder.path(), "nursery");
    assert_eq!(nursery.last(), None);
    for on in [true, false, true] {
        nursery.keep(on).unwrap();
        assert_eq!(nursery.last(), Some(on));
    }
    assert_eq!(memory(folder.path(), "yard").last(), None);
    let mut left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".privacy-nursery.lock", "privacy-nursery"]);
}

#[test]
fn what_cannot_be_read_is_privacy() {
    let folder = tempfile::tempdir().unwrap();
    let nursery = memory(folder.path(), "nursery");
    for text in ["", "offf", "\u{0}"] {
        fs::write(folder.path().join("privacy-nursery"), text).unwrap();
        assert_eq!(nursery.last(), Some(true), "{text:?}");
    }
}

#[test]
fn where_nothing_can_be_kept_it_is_said_where() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let why = memory(file.path(), "nursery").keep(true).unwrap_err().to_string();
    assert!(why.contains(&file.path().display().to_string()), "{why}");
    let mut nowhere = Memory::in_folder(None, &RoomName::new("nursery").unwrap());
    assert!(nowhere.keep(true).unwrap_err().to_string().contains("STATE_DIRECTORY"));
    assert_eq!(nowhere.last(), None);
}

#[tokio::test(start_paused = true)]
async fn a_choice_that_cannot_be_kept_is_said_to_be_none_and_is_kept_later() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("privacy-nursery");
    let mut desk = Followed::new(memory(folder.path(), "nursery"), false);
    assert_eq!(desk.switch(false).await, None);
    fs::remove_file(&in_the_way).unwrap();
    fs::create_dir(&in_the_way).unwrap();
    for on in [true, false, true] {
        let why = desk.switch(on).await.unwrap();
        assert!(why.contains("privacy-nursery: ") && why.contains("disk is not full"), "{why}");
        assert_eq!(*desk.unkept.borrow(), Some(why));
    }
    fs::remove_dir(&in_the_way).unwrap();
    desk.unkept.wait_for(Option::is_none).await.unwrap();
    assert_eq!(memory(folder.path(), "nursery").last(), Some(true));
    // Also one that nobody waits for.
    fs::remove_file(&in_the_way).unwrap();
    fs::create_dir(&in_the_way).unwrap();
    desk.says.send_modify(|status| status.privacy = false);
    desk.unkept.wait_for(Option::is_some).await.unwrap();
    drop(desk.says);
    desk.follows.await.unwrap();
}

#[tokio::test]
async fn what_is_chosen_is_kept_where_it_is_so_already_by_the_configuration_or_was_kept_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("privacy-nursery");
    let mut nursery = memory(folder.path(), "nursery");
    assert!(nursery.begin(true));
    let mut desk = Followed::new(nursery, true);
    for _ in 0..2 {
        assert_eq!(desk.switch(true).await, None);
        assert_eq!(memory(folder.path(), "nursery").last(), Some(true));
        fs::remove_file(&file).unwrap();
    }
}

#[tokio::test]
async fn a_camera_that_another_daemons_choice_has_closed_is_not_kept_closed_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (memory(folder.path(), "nursery"), memory(folder.path(), "nursery"));
    first.begin(false);
    first.keep(true).unwrap();
    assert!(second.begin(false));
    let mut desk = Followed::new(second, true);
    for on in [true, true, false, true, true] {
        let why = desk.switch(on).await.unwrap();
        assert!(why.contains("another daemon"), "{why}");
    }
    first.keep(false).unwrap();
    drop(first);
    assert_eq!(desk.switch(true).await, None);
    assert_eq!(memory(folder.path(), "nursery").last(), Some(true));
}

#[test]
fn a_lock_that_another_user_has_left_is_replaced_unless_it_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join(".privacy-nursery.lock");
    let of_another = |path: &Path| match fs::metadata(path) {
        Ok(found) if found.permissions().mode() & 0o777 == 0 => Err(io::ErrorKind::PermissionDenied.into()),
        _ => hold(path),
    };
    let with_another = || Memory { hold: of_another, ..memory(folder.path(), "nursery") };
    let other = hold(&lock).unwrap().unwrap();
    fs::set_permissions(&lock, fs::Permissions::from_mode(0o000)).unwrap();
    let why = with_another().keep(true).unwrap_err().to_string();
    assert!(why.contains(&format!("another daemon (process {})", std::process::id())), "{why}");
    assert_eq!(with_another().last(), None);
    drop(other);
    let mut nursery = with_another();
    nursery.keep(true).unwrap();
    assert!(nursery.held.is_some());
    assert!(memory(folder.path(), "nursery").keep(false).is_err(), "it is held");
    assert_eq!(nursery.last(), Some(true));
}

#[test]
fn what_cannot_be_locked_is_kept_all_the_same_and_a_broken_lock_is_named() {
    fn has_none(_: &Path) -> io::Result<Option<File>> {
        Err(io::Error::from_raw_os_error(libc::ENOLCK))
    }
    fn not_ours(_: &Path) -> io::Result<Option<File>> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    let folder = tempfile::tempdir().unwrap();
    for (room, hold) in [("nursery", has_none as fn(&Path) -> _), ("yard", not_ours)] {
        let mut without = Memory { hold, ..memory(folder.path(), room) };
        without.keep(true).unwrap();
        assert_eq!(without.last(), Some(true), "{room}");
    }
    fs::create_dir(folder.path().join(".privacy-attic.lock")).unwrap();
    let why = memory(folder.path(), "attic").keep(true).unwrap_err().to_string();
    assert!(why.contains("/.privacy-attic.lock: "), "{why}");
}

#[test]
fn what_was_being_written_when_its_daemon_was_killed_is_swept_by_whoever_holds_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let left = [".privacy-nursery.aB3xYz.new", ".privacy-yard.aB3xYz.new", ".privacy-nursery.b.aB3xYz.new"];
    for name in left {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let there = || left.map(|name| folder.path().join(name).exists());
    let held = hold(&folder.path().join(".privacy-nursery.lock")).unwrap().unwrap();
    memory(folder.path(), "nursery").begin(false);
    assert_eq!(there(), [true, true, true]);
    drop(held);
    memory(folder.path(), "nursery").begin(false);
    assert_eq!(there(), [false, true, true]);
}

#[test]
fn what_another_daemon_keeps_is_not_changed_and_closes_the_camera_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (memory(folder.path(), "nursery"), memory(folder.path(), "nursery"));
    assert!(!first.begin(false));
    for on in [true, false] {
        first.keep(on).unwrap();
        assert_eq!((second.begin(false), second.begin(true)), (on, true));
        let why = second.keep(!on).unwrap_err().to_string();
        assert!(why.contains("STATE_DIRECTORY") && why.contains("privacy-nursery"), "{why}");
        assert!(why.contains(&format!("process {}", std::process::id())), "{why}");
        assert_eq!(first.last(), Some(on));
    }
    memory(folder.path(), "yard").keep(true).unwrap();
    // Once it has gone, nobody is in the way.
    drop(first);
    second.keep(true).unwrap();
    assert!(second.begin(false));
}

fn memory(folder: &Path, room: &str) -> Memory {
    Memory::in_folder(Some(folder), &RoomName::new(room).unwrap())
}

/// A desk whose choices are kept.
struct Followed {
    says: watch::Sender<Status>,
    asks: mpsc::Sender<Waits>,
    unkept: watch::Receiver<Option<String>>,
    follows: tokio::task::JoinHandle<()>,
}

impl Followed {
    fn new(memory: Memory, privacy: bool) -> Self {
        let (says, status) = watch::channel(Status { privacy, ..Status::default() });
        let (asks, waiting) = mpsc::channel(1);
        let (unkept_says, unkept) = watch::channel(None);
        Self { says, asks, unkept, follows: tokio::spawn(memory.follow(status, waiting, unkept_says)) }
    }

    /// Switches, and says why that is not kept.
    async fn switch(&mut self, on: bool) -> Option<String> {
        self.says.send_modify(|status| status.privacy = on);
        let (waits, told) = oneshot::channel();
        self.asks.send(waits).await.unwrap();
        told.await.unwrap()
    }
}
