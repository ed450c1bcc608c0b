//! Observes what a daemon needs for a start: whether its keys and its authority are there, whole, and to be read by the user
//! as whom it runs, and so its configuration and what that names. Must not judge.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use porthole_core::config::settings::{Access, Settings};
use porthole_core::doctor::Finding;
use porthole_core::doctor::kept::{self, Kept};
use porthole_core::doctor::machine::Service;

use super::board::{self, User};
use crate::configuration::{self, INSTALLED};
use crate::keys::{self, KeyFile};
use crate::link::embedded;
use crate::state;

/// Bits of a mode: a file may be read, and a folder gone through.
const READ: u32 = 0o4;
const GO: u32 = 0o1;

/// Looks at the files of the camera with this configuration, as far as it uses them.
pub fn look(settings: &Settings, config: Option<&Path>, service: Option<&Service>) -> Vec<Finding> {
    let user = reads(config, service);
    // The service's own place is neither told to others nor open to them.
    let hidden = is_services(config) && !state::is_root();
    let mut found = Vec::new();
    if settings.room.access == Access::Keys {
        found.push(match keys::key_file(settings.room.keys.as_deref()) {
            Ok(file) => {
                let kept = if hidden { Kept::Hidden } else { ring(&file, user.as_ref()) };
                kept::keys(&file.display().to_string(), &kept)
            }
            Err(nowhere) => kept::keys("keys.json", &Kept::Broken(nowhere.to_string())),
        });
    }
    if let Some((file, there)) = embedded::look_at_authority(&settings.relay.tls) {
        let kept = match there {
            _ if hidden => Kept::Hidden,
            Ok(false) => Kept::None,
            Ok(true) => open(&file, user.as_ref(), 1),
            Err(why) => Kept::Broken(why),
        };
        found.push(kept::authority(&file.display().to_string(), &kept));
    }
    found
}

/// The user as whom the service with this configuration runs.
fn reads(config: Option<&Path>, service: Option<&Service>) -> Option<User> {
    service.filter(|_| is_services(config)).and_then(|service| board::user_called(&service.user))
}

fn is_services(config: Option<&Path>) -> bool {
    config == Some(Path::new(INSTALLED))
}

/// Looks whether the service may read its configuration and, where there are `settings`, what those name. Only root knows.
pub fn files(settings: Option<&Settings>, config: Option<&Path>, service: Option<&Service>) -> Vec<Finding> {
    let service = service.filter(|service| state::is_root() && !service.furnished);
    let (Some(service), Some(user), Some(config)) = (service, reads(config, service), config) else {
        return Vec::new();
    };
    let named = settings.map(configuration::files).unwrap_or_default();
    let all = [("", config)].into_iter().chain(named);
    let closed = all.filter_map(|(key, file)| {
        let hidden = service.hidden.iter().map(|folder| Path::new("/").join(folder));
        let closed = match hidden.into_iter().find(|folder| file.starts_with(folder)) {
            Some(folder) => folder,
            None if reads_as(&user, file) != Some(false) => return None,
            None => what_closes(file, &user).unwrap_or_else(|| file.to_owned()),
        };
        Some(kept::closed(key, &file.display().to_string(), &closed.display().to_string(), &user.name))
    });
    closed.collect()
}

/// Whether a user may read a file, as the machine itself says, which knows more than modes; `None`: it could not be asked, or
/// the file is not there. Only root may ask.
fn reads_as(user: &User, file: &Path) -> Option<bool> {
    // Systemd gives those to the service alone.
    if file.starts_with("/run/credentials") || !file.exists() {
        return None;
    }
    let group = user.groups.first()?;
    let mut asked = Command::new("setpriv");
    asked.args([format!("--reuid={}", user.id), format!("--regid={group}"), "--init-groups".to_owned()]);
    asked
        .args(["--", "test", "-r"])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match asked.status().ok()?.code()? {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    }
}

/// The first of a file's folders through which `user` cannot go, where a link leads also, or the file itself; `None` where it
/// may be read, or is not there.
fn what_closes(file: &Path, user: &User) -> Option<PathBuf> {
    let real = fs::canonicalize(file).ok()?;
    let named = std::path::absolute(file).ok()?;
    let folders = |path: &Path| path.ancestors().skip(1).map(Path::to_owned).collect::<Vec<_>>();
    let above = folders(&named).into_iter().rev().chain(folders(&real).into_iter().rev());
    let shut = |folder: &PathBuf| fs::metadata(folder).is_ok_and(|seen| !may(&seen, user, GO));
    above.into_iter().find(shut).or_else(|| {
        let closed = fs::metadata(&real).is_ok_and(|seen| !may(&seen, user, READ));
        closed.then(|| file.to_owned())
    })
}

fn ring(file: &Path, user: Option<&User>) -> Kept {
    match KeyFile::new(file).read() {
        Ok(None) => Kept::None,
        Ok(Some(ring)) => open(file, user, ring.keys().len()),
        Err(keys::Kept::Broken { file, why }) => Kept::Broken(format!("{file}: {why}")),
        Err(why) => Kept::Broken(why.to_string()),
    }
}

/// A file that we may read, and `user` may or may not.
fn open(file: &Path, user: Option<&User>, holds: usize) -> Kept {
    match user {
        Some(user) if fs::metadata(file).is_ok_and(|seen| !may(&seen, user, READ)) => {
            Kept::Closed(user.name.clone())
        }
        _ => Kept::Good(holds),
    }
}

/// As the mode has it (path_resolution(7)).
fn may(seen: &fs::Metadata, user: &User, what: u32) -> bool {
    let place = if seen.uid() == user.id {
        6
    } else if user.groups.contains(&seen.gid()) {
        3
    } else {
        0
    };
    user.id == 0 || seen.mode() >> place & what != 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_ring_is_whole_and_for_the_user_who_needs_it_or_it_is_said_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        assert_eq!(ring(&file, None), Kept::None);
        KeyFile::new(&file).change(|_| Ok::<_, keys::Kept>(())).unwrap();
        let seen = fs::metadata(&file).unwrap();
        let user = |id, group| User { name: "cam".into(), id, groups: vec![group] };
        let (own, other) = (user(seen.uid(), seen.gid()), user(seen.uid() + 7, seen.gid() + 7));
        assert_eq!((ring(&file, None), ring(&file, Some(&own))), (Kept::Good(0), Kept::Good(0)));
        assert_eq!(ring(&file, Some(&other)), Kept::Closed("cam".into()));
        for (mode, open) in [(0o640, [false, true]), (0o604, [true, false]), (0o644, [true, true])] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let of_group = user(seen.uid() + 7, seen.gid());
            let kept = [&other, &of_group].map(|user| ring(&file, Some(user)) == Kept::Good(0));
            assert_eq!(kept, open, "{mode:o}");
        }
        fs::write(&file, "{broken").unwrap();
        assert!(matches!(ring(&file, Some(&other)), Kept::Broken(why) if why.contains("keys.json: ")));
    }

    #[test]
    fn a_file_is_closed_by_itself_or_by_the_first_folder_that_lets_nobody_through() {
        let house = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let (archive, live) = (house.path().join("archive"), house.path().join("live"));
        let (file, link) = (archive.join("key.pem"), live.join("key.pem"));
        [&archive, &live].into_iter().for_each(|folder| fs::create_dir(folder).unwrap());
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let seen = fs::metadata(&file).unwrap();
        let other = User { name: "cam".into(), id: seen.uid() + 7, groups: vec![seen.gid() + 7] };
        set(house.path(), 0o755);
        assert_eq!(what_closes(&link, &other), None);
        set(&file, 0o640);
        assert_eq!(what_closes(&link, &other), Some(link.clone()));
        let member = User { groups: vec![seen.gid() + 7, seen.gid()], ..other.clone() };
        assert_eq!(what_closes(&link, &member), None);
        set(&archive, 0o700);
        assert_eq!(
            what_closes(&link, &member),
            Some(fs::canonicalize(&archive).unwrap()),
            "where it leads to"
        );
        set(&live, 0o700);
        assert_eq!(what_closes(&link, &member), Some(live));
        assert_eq!(what_closes(&house.path().join("gone"), &other), None);
    }

    #[test]
    fn what_a_user_may_read_is_what_the_machine_says() {
        if !state::is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let file = folder.path().join("key.pem");
        fs::write(&file, "").unwrap();
        let nobody = board::user_called("nobody").unwrap();
        for (above, mode, may) in [(0o755, 0o644, true), (0o755, 0o600, false), (0o700, 0o644, false)] {
            set(folder.path(), above);
            set(&file, mode);
            assert_eq!(reads_as(&nobody, &file), Some(may), "{above:o} {mode:o}");
        }
        assert_eq!(reads_as(&nobody, &folder.path().join("gone")), None);
        let service = Service { user: "nobody".into(), ..Service::default() };
        let said = |service: &Service| files(None, Some(Path::new(INSTALLED)), Some(service)).len();
        // The file of the service is there where that is installed.
        assert!(said(&service) <= 1);
        let hidden = Service { hidden: vec!["etc"], ..service.clone() };
        assert_eq!(said(&hidden), 1);
        assert_eq!(said(&Service { furnished: true, ..hidden }), 0);
    }
}
