//! Certificates from elsewhere: renewed in every way that is common, and in every way that goes wrong.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use super::super::names::Subject;
use super::*;

/// 2026-12-01.
const NOW: Date = Date(1_796_083_200);

#[test]
fn a_pair_is_read_with_whose_it_is_and_until_when() {
    let home = Home::new();
    home.put(&made("cam.example", 90));
    let files = home.open().unwrap();
    assert_eq!(files.pair().subjects, BTreeSet::from([Subject::Name("cam.example".into())]));
    assert_eq!(files.pair().until, NOW.after(90 * DAY));
    assert!(files.concerns(NOW).is_empty());
}

#[test]
fn each_thing_that_can_be_wrong_is_said_by_its_file() {
    let home = Home::new();
    let (one, other) = (made("cam.example", 90), made("cam.example", 90));
    let why = |certificate: &str, key: &str| {
        home.put(&Made { certificate: certificate.into(), key: key.into() });
        home.open().map(|_| ()).unwrap_err().to_string()
    };
    assert!(why("", &one.key).contains("no certificate in ") && why("", &one.key).contains("fullchain.pem"));
    assert!(why(&one.key, &one.key).contains("there is no certificate"));
    assert!(why(&one.certificate, "").contains("there is no key in"));
    assert!(why(&one.certificate, &one.certificate).contains("there is no key in"));
    assert!(why(&one.certificate, &other.key).contains("not made together"));
    let locked = one.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert!(why(&one.certificate, &locked).contains("asks for a password"));
    let broken = one.certificate.replacen("MII", "MIJ", 1);
    assert!(why(&broken, &one.key).contains("fullchain.pem is broken"));
    let odd = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert!(why(&one.certificate, odd).contains("cannot be used"));
    assert!(why("-----BEGIN CERTIFICATE-----\nAA", &one.key).contains("is broken"));
    for file in [home.certificate(), home.key()] {
        home.put(&one);
        fs::remove_file(&file).unwrap();
        let why = home.open().map(|_| ()).unwrap_err().to_string();
        assert!(why.starts_with(&file.display().to_string()) && why.contains("cannot be read"), "{why}");
    }
    let told = home.open().map(|_| ()).unwrap_err().to_string();
    assert!(!told.contains("BEGIN") && !told.contains("MII"), "no part of a key: {told}");
}

#[test]
fn what_browsers_will_not_like_is_said_and_served_all_the_same() {
    let home = Home::new();
    let concerns = |days: i64, change: fn(&mut CertificateParams)| {
        home.put(&made_with("cam.example", days, change));
        home.open().unwrap().concerns(NOW)
    };
    assert!(concerns(-1, |_| {})[0].contains("it ended on 2026-11-30: renew it"));
    assert!(concerns(5, |_| {})[0].contains("it ends on 2026-12-06: see that it is renewed"));
    assert!(
        concerns(90, |how| how.not_before = NOW.after(DAY).time())[0].contains("only begins on 2026-12-02")
    );
    assert!(concerns(90, |how| how.subject_alt_names.clear())[0].contains("names no host"));
    let signer = |how: &mut CertificateParams| how.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert!(concerns(90, signer)[0].contains("CA:FALSE"));
}

#[test]
fn a_renewal_in_place_is_taken_once_both_files_stand_still() {
    let home = Home::new();
    home.put(&made("cam.example", 20));
    let mut files = home.open().unwrap();
    assert!(files.look().is_none());
    let new = made("cam.example", 90);
    fs::write(home.certificate(), &new.certificate).unwrap();
    assert!(files.look().is_none(), "it has just changed");
    fs::write(home.key(), &new.key).unwrap();
    assert!(files.look().is_none(), "and so has this");
    assert_eq!(files.look().expect("the new one").until, NOW.after(90 * DAY));
    assert!(files.look().is_none(), "nothing has changed since");
    assert_eq!(files.complaint, None, "nobody was told of a pair that does not fit");
}

#[test]
fn a_renewal_by_pointing_elsewhere_is_taken_too() {
    let home = Home::new();
    let point = |version: &str, made: &Made| {
        fs::write(home.0.path().join(format!("cert{version}")), &made.certificate).unwrap();
        fs::write(home.0.path().join(format!("key{version}")), &made.key).unwrap();
        for (link, file) in [(home.certificate(), "cert"), (home.key(), "key")] {
            let _ = fs::remove_file(&link);
            symlink(home.0.path().join(format!("{file}{version}")), &link).unwrap();
        }
    };
    point("1", &made("cam.example", 20));
    let mut files = home.open().unwrap();
    point("2", &made("cam.example", 90));
    assert!(files.look().is_none());
    assert_eq!(files.look().expect("the new one").until, NOW.after(90 * DAY));
}

#[test]
fn a_broken_renewal_keeps_the_one_before_and_is_said_once() {
    let home = Home::new();
    let old = made("cam.example", 20);
    home.put(&old);
    let mut files = home.open().unwrap();
    let settle = |files: &mut Files| {
        files.look();
        files.look()
    };
    fs::write(home.key(), &made("cam.example", 90).key).unwrap();
    assert!(settle(&mut files).is_none());
    assert!(
        matches!(files.complaint, Some(BadFiles::Bad(BadPair::NotTogether { .. }))),
        "{:?}",
        files.complaint
    );
    fs::remove_file(home.key()).unwrap();
    assert!(settle(&mut files).is_none());
    assert!(matches!(files.complaint, Some(BadFiles::Unread(..))), "{:?}", files.complaint);
    assert_eq!(files.pair().until, NOW.after(20 * DAY));
    home.put(&made("cam.example", 90));
    assert_eq!(settle(&mut files).expect("the new one").until, NOW.after(90 * DAY));
    assert_eq!(files.complaint, None);
}

struct Home(tempfile::TempDir);

struct Made {
    certificate: String,
    key: String,
}

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn certificate(&self) -> PathBuf {
        self.0.path().join("fullchain.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("privkey.pem")
    }

    fn put(&self, made: &Made) {
        fs::write(self.certificate(), &made.certificate).unwrap();
        fs::write(self.key(), &made.key).unwrap();
    }

    fn open(&self) -> Result<Files, BadFiles> {
        Files::open(&self.certificate(), &self.key())
    }
}

fn made(name: &str, days: i64) -> Made {
    made_with(name, days, |_| {})
}

/// For `name`, from a hundred days ago to so many from now.
fn made_with(name: &str, days: i64, change: impl FnOnce(&mut CertificateParams)) -> Made {
    let key = KeyPair::generate().unwrap();
    let mut how = CertificateParams::new(vec![name.to_owned()]).unwrap();
    how.not_before = NOW.after(-100 * DAY).time();
    how.not_after = NOW.after(days * DAY).time();
    how.is_ca = IsCa::ExplicitNoCa;
    change(&mut how);
    Made { certificate: how.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}
