//! Observes what a daemon keeps over a restart: whether its keys and its authority are there, whole, and to be read by
//! the user as whom it runs. Must not judge.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use porthole_core::config::settings::{Access, Settings};
use porthole_core::doctor::Finding;
use porthole_core::doctor::kept::{self, Kept};
use porthole_core::doctor::machine::Service;

use super::board::{self, User};
use crate::configuration::INSTALLED;
use crate::keys::{self, KeyFile};
use crate::link::embedded;
use crate::state;

/// Looks at the files of the camera with this configuration, as far as it uses them.
pub fn look(settings: &Settings, config: Option<&Path>, service: Option<&Service>) -> Vec<Finding> {
    let services = config == Some(Path::new(INSTALLED));
    let user = service.filter(|_| services).and_then(|service| board::user_called(&service.user));
    // The service's own place is neither told to others nor open to them.
    let hidden = services && !state::is_root();
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
        Some(user) if fs::metadata(file).is_ok_and(|seen| !may_read(&seen, user)) => {
            Kept::Closed(user.name.clone())
        }
        _ => Kept::Good(holds),
    }
}

/// As the mode has it (path_resolution(7)).
fn may_read(seen: &fs::Metadata, user: &User) -> bool {
    let bit = if seen.uid() == user.id {
        0o400
    } else if seen.gid() == user.group {
        0o040
    } else {
        0o004
    };
    user.id == 0 || seen.mode() & bit != 0
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
        let user = |id, group| User { name: "cam".into(), id, group };
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
}
