//! `porthole access` as people type it: the real program, its words, its status and the file that it leaves behind.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use porthole_core::access::{KeyRing, Role};
use serde_json::{Value, json};
use tempfile::TempDir;

#[test]
fn a_key_is_added_with_its_link_its_code_and_how_to_take_it_back() {
    let home = Home::new();
    let said = home.does(&["add", "grandma's phone"]);
    let ring = home.ring();
    let [key] = ring.keys() else { panic!("{ring:?}") };
    assert_eq!((key.name.as_str(), key.role, key.until), ("grandma's phone", Role::Watch, None));
    assert!(said.contains("allows grandma's phone to watch and listen."), "{said}");
    assert!(said.contains(&format!("http://localhost:8080/#room=porthole&key={}\n", key.token())), "{said}");
    assert!(said.contains('█'), "a QR code: {said}");
    assert!(said.contains(" access revoke \"grandma's phone\"\n"), "{said}");
    assert!(said.contains(&format!("It hangs in {}.", home.file().display())), "{said}");
    assert!(!said.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn what_is_to_be_typed_to_take_it_back_can_be_typed() {
    let home = Home::new();
    let config =
        home.write("my camera.toml", "[room]\nname = \"yard\"\n[relay]\nlisten = \"127.0.0.1:9000\"\n");
    let said = home.does(&["add", "a $HOME \"b\" `c`", "--config", &config]);
    assert!(said.contains("http://localhost:9000/#room=yard&key="), "{said}");
    let line = said.lines().map(str::trim).find(|line| line.contains(" access revoke ")).unwrap();
    let typed = home.environment(Command::new("sh").args(["-c", line])).output().unwrap();
    assert!(typed.status.success(), "{line}: {typed:?}");
    assert_eq!(home.ring().keys(), []);
}

#[test]
fn a_link_is_shown_again_by_name_and_by_id() {
    let home = Home::new();
    home.does(&["add", "ann", "--role", "talk"]);
    let key = home.ring().keys()[0].clone();
    for asked in ["ann", key.id.as_str()] {
        let said = home.does(&["show", asked]);
        assert!(said.contains(&key.token()) && said.contains('█'), "{said}");
        assert!(said.contains("allows ann to watch, listen and talk."), "{said}");
    }
}

#[test]
fn before_the_first_start_it_is_said_how_the_owners_key_is_made() {
    let home = Home::new();
    let said = home.fails(&["show", "owner"], 64);
    assert!(said.contains(&format!("there are no keys in {} yet", home.file().display())), "{said}");
    assert!(said.lines().next().unwrap().ends_with(" run"), "{said}");
    let config = home.write("my camera.toml", "");
    let said = home.fails(&["show", "owner", "--config", &config], 64);
    assert!(said.lines().next().unwrap().ends_with(&format!(" run --config \"{config}\"")), "{said}");
    assert!(!home.file().exists());
}

#[test]
fn keys_are_listed_without_their_secrets() {
    let home = Home::new();
    assert!(home.does(&["list"]).starts_with("There are no keys in "));
    assert_eq!(home.does(&["list", "--json"]).trim(), "[]");
    home.does(&["add", "grandma's phone"]);
    home.does(&["add", "guest", "--role", "talk", "--until", "2199-12-31"]);
    home.does(&["add", "plumber", "--until", "2199-12-31 18:00"]);
    let ring = home.ring();
    let said = home.does(&["list"]);
    let lines: Vec<Vec<&str>> = said
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    let made: Vec<&str> = lines[1..].iter().map(|line| line[2]).collect();
    let ids: Vec<&str> = ring.keys().iter().map(|key| key.id.as_str()).collect();
    assert_eq!(
        lines,
        [
            vec!["NAME", "MAY", "MADE", "UNTIL", "ID"],
            vec!["grandma's phone", "watch", made[0], ids[0]],
            vec!["guest", "talk", made[1], "the end of 2199-12-31", ids[1]],
            vec!["plumber", "watch", made[2], "2199-12-31 18:00", ids[2]],
        ]
    );
    let listed: Value = serde_json::from_str(&home.does(&["list", "--json"])).unwrap();
    let key = &ring.keys()[1];
    assert_eq!(
        listed[1],
        json!({"id": key.id, "name": "guest", "role": "talk", "made": key.made, "until": key.until.unwrap()})
    );
    assert_eq!(listed[0]["until"], Value::Null);
    for key in ring.keys() {
        assert!(!said.contains(&key.secret.text()) && !listed.to_string().contains(&key.secret.text()));
    }
}

#[test]
fn a_key_that_lasts_for_a_while_has_an_end() {
    let home = Home::new();
    home.does(&["add", "guest", "--for", "3d"]);
    let ring = home.ring();
    let (made, until) = (ring.keys()[0].made.0, ring.keys()[0].until.unwrap().0);
    // A day in which clocks change is an hour shorter or longer.
    assert!((3 * 86_400 - 3600..=3 * 86_400 + 3600).contains(&(until - made)), "{made} to {until}");
}

#[test]
fn a_revoked_key_is_gone_and_remembered_as_such() {
    let home = Home::new();
    home.does(&["add", "ann"]);
    home.does(&["add", "bob"]);
    let id = home.ring().keys()[0].id.clone();
    let said = home.does(&["revoke", "ann"]);
    assert!(said.starts_with("The key of ann opens nothing any more."), "{said}");
    let ring = home.ring();
    assert_eq!(ring.keys().iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["bob"]);
    assert_eq!(ring.usable(&id, porthole::keys::now()), Err(porthole_core::access::Unusable::Revoked));
    assert!(home.fails(&["show", "ann"], 64).contains("there is no key with the name or id \"ann\""));
    assert!(home.fails(&["revoke", "ann"], 64).contains("`porthole access list` shows all of them"));
}

#[test]
fn what_cannot_be_meant_is_said_and_changes_nothing() {
    let home = Home::new();
    home.does(&["add", "ann"]);
    let before = fs::read(home.file()).unwrap();
    assert!(home.fails(&["add", "ann"], 64).contains("there is a key called \"ann\" already"));
    assert!(home.fails(&["add", "bob", "--until", "tomorrow"], 64).contains("2026-12-31"));
    assert!(home.fails(&["add", "bob", "--until", "2020-01-01"], 64).contains("not in the future"));
    assert!(home.fails(&["add", "bob", "--for", "ever"], 64).contains("3d"));
    assert!(home.fails(&["add", "bob", "--role", "king"], 64).contains("watch, talk, manage"));
    assert!(home.fails(&["add", ""], 64).contains("1 to 40 characters"));
    assert!(home.fails(&["add", "bob", "--config", "/nowhere.toml"], 66).contains("/nowhere.toml"));
    let broken = home.write("bad.toml", "[room]\naccess = \"nobody\"\n");
    assert!(home.fails(&["add", "bob", "--config", &broken], 78).contains("room.access"));
    assert_eq!(fs::read(home.file()).unwrap(), before);
}

#[test]
fn a_typing_error_elsewhere_in_the_configuration_leaves_no_key_in_a_stolen_phone() {
    let home = Home::new();
    let whole = "[room]\nkeys = \"yard.json\"\n";
    let config = home.write("my.toml", whole);
    let ring =
        || KeyRing::from_json(&fs::read_to_string(home.folder.path().join("yard.json")).unwrap()).unwrap();
    home.does(&["add", "phone", "--config", &config]);
    // Not where the keys may be elsewhere, nor where nobody can say.
    for broken in [
        "[room]\nkyes = \"yard.json\"\n",
        "[room]\nkeys = 3\n",
        "[rooom]\nkeys = \"yard.json\"\n",
        "[room]\nkeys = \"yard.json\"\n[video]\nwidth = \n",
        "keys = \"yard.json\"\n",
        "[room]\nkeys = \"other.json\"\nkeys = \"yard.json\"\n",
    ] {
        home.write("my.toml", broken);
        for words in [&["revoke", "phone"][..], &["list"], &["add", "bob"]] {
            let said = home.fails(&[words, &["--config", &config]].concat(), 78);
            assert!(said.starts_with(&config) && said.contains("nothing has changed"), "{said}");
        }
        assert!(!home.file().exists());
    }
    home.write(
        "my.toml",
        &format!("{whole}max_cals = 3\n[video]\nwidht = 1\n[vidoe]\n[relay]\nlisten = \"here\"\n"),
    );
    let said = home.fails(&["show", "phone", "--config", &config], 78);
    assert!(said.contains("relay.listen") && !said.contains("key="), "{said}");
    let output = home.command(&["revoke", "phone", "--config", &config]).output().unwrap();
    assert!(output.status.success() && ring().keys().is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("warning: ") && said.contains("my.toml:5: video.widht: "), "{said}");

    home.write("my.toml", &format!("{whole}[video]\nwidht = 1\n"));
    let output = home.command(&["add", "bob", "--config", &config]).output().unwrap();
    assert!(output.status.success() && ring().keys().len() == 1, "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("video.widht"));
}

#[test]
fn a_broken_file_is_named_and_never_overwritten() {
    let home = Home::new();
    home.does(&["add", "ann"]);
    let whole = fs::read_to_string(home.file()).unwrap();
    let torn = &whole[..whole.len() / 2];
    fs::write(home.file(), torn).unwrap();
    for words in [&["add", "bob"][..], &["list"], &["show", "ann"], &["revoke", "ann"]] {
        let said = home.fails(words, 65);
        assert!(said.starts_with(&home.file().display().to_string()) && said.contains("mend it"), "{said}");
    }
    assert_eq!(fs::read_to_string(home.file()).unwrap(), torn);
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let home = Home::new();
    fs::write(home.folder.path().join("state"), "a file where the folder should be").unwrap();
    let said = home.fails(&["add", "ann"], 74);
    assert!(said.contains("keys.json: the keys cannot be read") || said.contains("written"), "{said}");
}

#[test]
fn the_file_is_for_its_owner_alone_and_nothing_else_is_left() {
    let home = Home::new();
    home.does(&["add", "ann"]);
    fs::set_permissions(home.file(), fs::Permissions::from_mode(0o644)).unwrap();
    home.does(&["add", "bob"]);
    assert_eq!(fs::metadata(home.file()).unwrap().mode() & 0o777, 0o600);
    let folder = home.file().parent().unwrap().to_owned();
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["keys.json", "keys.json.lock"]);
}

#[test]
fn many_at_once_lose_nothing() {
    let home = Home::new();
    let names: Vec<_> = (0..12).map(|number| format!("phone {number:02}")).collect();
    let running: Vec<_> = names
        .iter()
        .map(|name| home.command(&["add", name]).stdout(Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    let mut held: Vec<_> = home.ring().keys().iter().map(|key| key.name.to_string()).collect();
    held.sort();
    assert_eq!(held, names);
}

#[test]
fn the_configuration_may_name_another_file() {
    let home = Home::new();
    let config = home.write("my.toml", "[room]\nkeys = \"yard.json\"\n");
    home.does(&["add", "ann", "--config", &config]);
    let text = fs::read_to_string(home.folder.path().join("yard.json")).unwrap();
    assert_eq!(KeyRing::from_json(&text).unwrap().keys()[0].name.as_str(), "ann");
    assert!(!home.file().exists());
}

#[test]
fn where_no_keys_are_asked_for_that_is_said() {
    let home = Home::new();
    let config = home.write("my.toml", "[room]\naccess = \"open\"\n");
    let said = home.does(&["add", "ann", "--config", &config]);
    assert!(said.contains("This camera asks nobody for a key"), "{said}");
    let config = home.write("keyed.toml", "[room]\naccess = \"keys\"\n");
    let said = home.does(&["add", "bob", "--config", &config]);
    assert!(!said.contains("asks nobody"), "{said}");
}

#[test]
fn where_the_port_is_not_known_the_key_is_given_by_itself() {
    let home = Home::new();
    let config = home.write("my.toml", "[relay]\nlisten = \"127.0.0.1:0\"\n");
    let said = home.does(&["add", "ann", "--config", &config]);
    let token = home.ring().keys()[0].token();
    assert!(said.contains(&format!("  &key={token}\n")) && !said.contains("http"), "{said}");
}

/// A machine of its own, as far as keys go.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("state/keys.json")
    }

    fn ring(&self) -> KeyRing {
        KeyRing::from_json(&fs::read_to_string(self.file()).unwrap()).unwrap()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_porthole"));
        command.arg("access").args(words);
        self.environment(&mut command);
        command
    }

    fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("STATE_DIRECTORY", self.folder.path().join("state")).env("TZ", "UTC")
    }

    /// What it says when all goes well.
    fn does(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says when it does not, with this status.
    fn fails(&self, words: &[&str], status: i32) -> String {
        let output = self.command(words).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{words:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{words:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}
