//! What happens to the ring's file, and what never does.

use std::os::unix::fs::PermissionsExt;
use std::thread;

use porthole_core::access::{Label, Role, Stamp, Unknown};
use tempfile::TempDir;

use super::*;
use crate::keys;

#[test]
fn where_there_is_no_file_there_is_no_ring_and_reading_makes_none() {
    let folder = TempDir::new().unwrap();
    assert_eq!(file(&folder).read().unwrap(), None);
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn what_was_written_is_read_again_and_only_the_owner_can() {
    let folder = TempDir::new().unwrap();
    let file = KeyFile::new(folder.path().join("deep/inside/keys.json"));
    add(&file, "ann").unwrap();
    add(&file, "bob").unwrap();
    assert_eq!(held(&file), ["ann", "bob"]);
    assert_eq!(mode(file.path()), 0o600);
    assert_eq!(mode(file.folder()), 0o700);
    assert_eq!(names(file.folder()), ["keys.json", "keys.json.lock"], "and nothing is left lying about");
    assert!(!file.is_exposed());
}

#[test]
fn a_file_that_others_could_read_is_noticed_and_closed_by_the_next_change() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    add(&file, "ann").unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(file.is_exposed());
    add(&file, "bob").unwrap();
    assert!(!file.is_exposed());
}

#[test]
fn a_broken_file_is_named_and_never_overwritten() {
    for broken in ["", "{", "[]", "{\"version\": 2, \"keys\": []}", "{\"version\": 1, \"keys\": [{}]}"] {
        let folder = TempDir::new().unwrap();
        let file = file(&folder);
        fs::write(file.path(), broken).unwrap();
        for said in [
            file.read().unwrap_err().to_string(),
            add(&file, "ann").unwrap_err().to_string(),
            keys::begin(&file).unwrap_err().to_string(),
        ] {
            assert!(said.starts_with(&format!("{}: ", file.path().display())), "{said}");
            assert!(said.contains("nobody touches it"), "{said}");
        }
        assert_eq!(fs::read_to_string(file.path()).unwrap(), broken);
    }
}

#[test]
fn what_does_not_come_about_leaves_the_file_as_it_was() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    add(&file, "ann").unwrap();
    let before = (fs::read(file.path()).unwrap(), fs::metadata(file.path()).unwrap().ino());
    assert!(matches!(add(&file, "ann"), Err(Failed::Unknown(Unknown::Taken(_)))));
    assert_eq!((fs::read(file.path()).unwrap(), fs::metadata(file.path()).unwrap().ino()), before);
}

#[test]
fn whoever_has_the_old_file_open_reads_it_to_its_end() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    add(&file, "ann").unwrap();
    let old = File::open(file.path()).unwrap();
    add(&file, "bob").unwrap();
    let old = io::read_to_string(old).unwrap();
    let names: Vec<_> =
        KeyRing::from_json(&old).unwrap().keys().iter().map(|key| key.name.to_string()).collect();
    assert_eq!(names, ["ann"], "the file was replaced and not written over");
}

#[test]
fn many_who_change_it_at_once_lose_nothing() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    let mut expected: Vec<_> = (0..24).map(|number| format!("phone {number}")).collect();
    thread::scope(|scope| {
        for name in &expected {
            scope.spawn(|| add(&file, name).unwrap());
        }
    });
    let mut held = held(&file);
    held.sort();
    expected.sort();
    assert_eq!(held, expected);
}

#[test]
fn the_first_start_writes_a_ring_and_the_second_finds_it() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    let (first, new) = keys::begin(&file).unwrap();
    assert!(new);
    let owner = keys::owner(&first).unwrap();
    assert_eq!((owner.role, owner.until), (Role::Manage, None));
    assert_eq!(keys::begin(&file).unwrap(), (first, false));
}

#[test]
fn keys_that_were_made_before_the_first_start_leave_the_owner_theirs() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    add(&file, "grandma's phone").unwrap();
    let (ring, new) = keys::begin(&file).unwrap();
    assert!(new && ring.keys().len() == 2);
    assert_eq!(keys::owner(&ring).unwrap().role, Role::Manage);
    assert_eq!(keys::begin(&file).unwrap(), (ring, false));
}

#[test]
fn a_ring_without_keys_is_not_begun_again() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    keys::begin(&file).unwrap();
    let revoked = file.change(|ring| {
        let id = ring.meant(keys::OWNER).unwrap().id.clone();
        Ok::<_, Kept>(ring.revoke(&id, Stamp(1)))
    });
    assert!(revoked.unwrap().is_some());
    let (ring, new) = keys::begin(&file).unwrap();
    assert!(!new && ring.keys().is_empty());
}

#[test]
fn what_the_system_does_not_let_us_is_said_with_the_fix() {
    let denied = |kind: io::ErrorKind| {
        let error = io::Error::new(kind, "os words");
        Kept::Denied { file: "keys.json".to_owned(), done: "written", error }.to_string()
    };
    assert_eq!(
        denied(io::ErrorKind::PermissionDenied),
        "keys.json: the keys cannot be written: this user may not; run it with sudo, or as the user that Porthole runs as"
    );
    assert!(denied(io::ErrorKind::StorageFull).contains("make room on it"));
    assert!(denied(io::ErrorKind::ReadOnlyFilesystem).ends_with("mount it writable"));
    assert_eq!(denied(io::ErrorKind::IsADirectory), "keys.json: the keys cannot be written: os words");
}

#[test]
fn what_this_user_may_not_ends_otherwise_than_what_nobody_can() {
    let denied =
        |kind: io::ErrorKind| Kept::Denied { file: "keys.json".to_owned(), done: "read", error: kind.into() };
    let of_another = || Kept::NotOurs { file: "keys.json".to_owned(), owner: 1 };
    for (kept, exit) in [
        (denied(io::ErrorKind::PermissionDenied), Exit::NotPermitted),
        (denied(io::ErrorKind::StorageFull), Exit::Unkept),
        (of_another(), Exit::NotPermitted),
    ] {
        assert_eq!(kept.exit(), exit, "{kept}");
        assert_eq!(crate::run::CannotRun::Keys(kept.into()).exit(), exit);
    }
    assert_eq!(crate::access::Failed::Kept(of_another()).exit(), Exit::NotPermitted);
}

#[test]
fn no_link_is_followed_where_the_lock_should_be() {
    let folder = TempDir::new().unwrap();
    let file = file(&folder);
    let elsewhere = folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, folder.path().join("keys.json.lock")).unwrap();
    assert!(matches!(add(&file, "ann"), Err(Failed::Kept(Kept::Denied { .. }))));
    assert!(!elsewhere.exists() && !file.path().exists());
}

#[test]
fn a_file_that_root_writes_stays_with_whom_it_belongs_to() {
    let folder = TempDir::new().unwrap();
    let (owner, group) = (60_123, 60_124);
    if std::os::unix::fs::chown(folder.path(), Some(owner), Some(group)).is_err() {
        eprintln!("only root can give files away: this is tested where the tests run as root");
        return;
    }
    let file = file(&folder);
    let of = |path: &Path| fs::metadata(path).map(|file| (file.uid(), file.gid())).unwrap();
    add(&file, "ann").unwrap();
    assert_eq!(of(file.path()), (owner, group), "it takes the folder's owner");
    assert_eq!(of(&folder.path().join("keys.json.lock")), (owner, group), "who has to lock it, too");
    std::os::unix::fs::chown(file.path(), Some(owner + 7), Some(group)).unwrap();
    add(&file, "bob").unwrap();
    assert_eq!(of(file.path()), (owner + 7, group), "and keeps the old file's");
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Kept(#[from] Kept),
    #[error(transparent)]
    Unknown(#[from] Unknown),
}

fn add(file: &KeyFile, name: &str) -> Result<(), Failed> {
    let key = keys::key(Label::new(name).unwrap(), Role::Watch, Stamp(1), None).unwrap();
    file.change(|ring| Ok(ring.add(key)?))
}

fn file(folder: &TempDir) -> KeyFile {
    KeyFile::new(folder.path().join("keys.json"))
}

fn held(file: &KeyFile) -> Vec<String> {
    let ring = file.read().unwrap().unwrap();
    ring.keys().iter().map(|key| key.name.to_string()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
