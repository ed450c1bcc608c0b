//! What is heard of a ring's file when somebody changes it.

use std::fs;

use porthole_core::access::{Label, Role, Stamp};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::keys;

/// Only bounds a hang.
const HANG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_key_that_is_added_or_revoked_is_heard_of_with_the_clock_before_it() {
    let mut ear = Ear::at_a_first_start().await;
    let added = ear.add("ann", None);
    assert!(matches!(ear.next().await, AccessEvent::Date(_)));
    assert_eq!(ear.next().await, AccessEvent::Keys(added));
    let revoked = ear.change(|ring| {
        let id = ring.meant("ann").unwrap().id.clone();
        ring.revoke(&id, now()).unwrap();
    });
    assert_eq!(ear.ring().await, revoked);
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_a_mended_one_is_heard_of() {
    let mut ear = Ear::at_a_first_start().await;
    let good = fs::read_to_string(ear.file.path()).unwrap();
    fs::write(ear.file.path(), "{").unwrap();
    fs::write(ear.file.path(), &good).unwrap();
    fs::write(ear.file.path(), "[]").unwrap();
    fs::remove_file(ear.file.path()).unwrap();
    assert_eq!(ear.ring().await, KeyRing::default(), "the first thing that was not a mistake: all are gone");
    fs::write(ear.file.path(), &good).unwrap();
    assert_eq!(ear.ring().await, KeyRing::from_json(&good).unwrap());
}

#[tokio::test]
async fn an_editor_that_writes_in_place_is_heard_of_too() {
    let mut ear = Ear::at_a_first_start().await;
    let mut ring = ear.file.read().unwrap().unwrap();
    let id = ring.keys()[0].id.clone();
    ring.revoke(&id, now()).unwrap();
    fs::write(ear.file.path(), ring.to_json().unwrap()).unwrap();
    assert_eq!(ear.ring().await, ring);
}

#[tokio::test]
async fn nothing_is_said_of_other_files_nor_of_what_is_known() {
    let mut ear = Ear::at_a_first_start().await;
    fs::write(ear.file.folder().join("other.json"), "{}").unwrap();
    let same = fs::read(ear.file.path()).unwrap();
    fs::write(ear.file.path(), same).unwrap();
    let added = ear.add("ann", None);
    assert!(matches!(ear.next().await, AccessEvent::Date(_)));
    assert_eq!(ear.next().await, AccessEvent::Keys(added));
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_told_all_the_time_and_a_folder_that_was_away_is_found_again() {
    let mut ear = Ear::at_a_first_start().await;
    ear.add("guest", Some(Stamp(now().0 + 3600)));
    ear.ring().await;
    for _ in 0..3 {
        assert!(matches!(ear.next().await, AccessEvent::Date(_)), "another half minute later");
    }

    let (folder, away) = (ear.file.folder().to_owned(), ear.file.folder().with_extension("away"));
    fs::rename(&folder, &away).unwrap();
    assert_eq!(ear.ring().await, KeyRing::default());
    fs::rename(&away, &folder).unwrap();
    assert_eq!(ear.ring().await.keys().len(), 2);
    let again = ear.add("ann", None);
    assert_eq!(ear.ring().await, again);
}

#[tokio::test]
async fn whoever_stops_listening_ends_it() {
    let ear = Ear::at_a_first_start().await;
    drop(ear.news);
    tokio::time::timeout(HANG, ear.life).await.unwrap().unwrap();
}

struct Ear {
    _folder: TempDir,
    file: KeyFile,
    news: mpsc::Receiver<AccessEvent>,
    life: JoinHandle<()>,
}

impl Ear {
    /// Past the ring that is told first.
    async fn at_a_first_start() -> Self {
        let folder = TempDir::new().unwrap();
        let file = KeyFile::new(folder.path().join("state/keys.json"));
        let (ring, _) = keys::begin(&file).unwrap();
        let (tell, news) = mpsc::channel(NEWS);
        let life = tokio::spawn(follow(file.clone(), ring.clone(), tell));
        let mut ear = Self { _folder: folder, file, news, life };
        assert!(matches!(ear.next().await, AccessEvent::Date(_)));
        assert_eq!(ear.next().await, AccessEvent::Keys(ring));
        ear
    }

    fn add(&self, name: &str, until: Option<Stamp>) -> KeyRing {
        let key = keys::key(Label::new(name).unwrap(), Role::Watch, now(), until).unwrap();
        self.change(|ring| ring.add(key).unwrap())
    }

    /// The ring as it is afterwards.
    fn change(&self, change: impl FnOnce(&mut KeyRing)) -> KeyRing {
        let changed = self.file.change(|ring| {
            change(ring);
            Ok::<_, keys::Kept>(ring.clone())
        });
        changed.unwrap()
    }

    async fn next(&mut self) -> AccessEvent {
        tokio::time::timeout(HANG, self.news.recv()).await.expect("news").expect("whoever brings them")
    }

    /// The next ring that is told.
    async fn ring(&mut self) -> KeyRing {
        loop {
            if let AccessEvent::Keys(ring) = self.next().await {
                return ring;
            }
        }
    }
}
