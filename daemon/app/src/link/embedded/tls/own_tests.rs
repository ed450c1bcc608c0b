//! Whom browsers are asked to trust, and what is signed for this machine: seen as verifiers see it.

use std::os::unix::fs::PermissionsExt;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::super::pair::provider;
use super::*;

/// 2026-12-01.
const NOW: Date = Date(1_796_083_200);

#[test]
fn what_is_signed_is_what_verifiers_want_and_no_longer_good_than_browsers_take() {
    let home = Home::new();
    let own = home.open(&["doorbell.local", "192.168.1.20", "2001:db8::7"], NOW);
    let der = own.pair().certified.end_entity_cert().unwrap();
    let (_, seen) = X509Certificate::from_der(der).unwrap();
    assert!(!seen.basic_constraints().unwrap().unwrap().value.ca, "it says that it is no authority");
    let usage = seen.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any);
    assert_eq!(own.pair().certified.cert.len(), 1, "the authority is in the browser, or not trusted at all");
    assert_eq!(own.pair().from, NOW.after(-DAY));
    assert_eq!(own.pair().until, own.pair().from.after(397 * DAY));
    for name in ["doorbell.local", "192.168.1.20", "2001:db8::7"] {
        assert_eq!(verdict(&own, name, NOW), Ok(()), "{name}");
    }
    for name in ["other.local", "192.168.1.21", "bank.example"] {
        assert!(verdict(&own, name, NOW).is_err(), "{name}");
    }
    assert!(own.pair().oddities(NOW).is_empty() && own.concerns(NOW).is_empty());
}

#[test]
fn the_authority_signs_no_other_and_vouches_for_no_name_of_somebody_else() {
    let home = Home::new();
    let own = home.open(&["doorbell", "cam.example"], NOW);
    let (_, seen) = X509Certificate::from_der(own.certificate()).unwrap();
    let constraints = seen.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    assert!(seen.name_constraints().unwrap().unwrap().critical);
    assert!(seen.validity().not_after.timestamp() - NOW.0 <= 3650 * DAY);

    // Signed all the same, as a thief of the key would.
    let stolen = own.authority.sign(&subjects(&["bank.example", "localhost"]), NOW).unwrap();
    let text = Text { name: "", bytes: stolen.as_bytes() };
    let pair = Pair::from_pem(text, text).unwrap();
    for name in ["bank.example", "localhost"] {
        assert!(judged(&pair, own.certificate(), name, NOW).is_err(), "{name}");
    }
    let allowed = |name: &str| own.authority.may_vouch_for(&Subject::Name(name.into()));
    for name in ["doorbell", "cam.example", "x.local", "localhost", "a.home.arpa"] {
        assert!(allowed(name), "{name}");
    }
    for name in ["bank.example", "cam.example.org", "notlocal", "example", "alan"] {
        assert!(!allowed(name), "{name}");
    }
}

#[test]
fn after_a_restart_both_are_the_same() {
    let home = Home::new();
    let first = home.open(&["doorbell.local"], NOW);
    let again = home.open(&["doorbell.local"], NOW.after(DAY));
    assert_eq!(first.certificate(), again.certificate());
    assert_eq!(leaf(&first), leaf(&again));
    for file in ["authority.pem", "authority.signed.pem"] {
        let mode = fs::metadata(home.0.path().join("state").join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let folder = fs::metadata(home.0.path().join("state")).unwrap().permissions().mode();
    assert_eq!(folder & 0o777, 0o700);
}

#[test]
fn another_address_brings_another_certificate_and_a_lost_one_does_not() {
    let home = Home::new();
    let mut own = home.open(&["localhost", "10.0.0.5"], NOW);
    let before = leaf(&own);
    assert!(own.look(&subjects(&["localhost"]), NOW, false).is_none());
    let new = own.look(&subjects(&["localhost", "10.0.0.6"]), NOW, false).expect("a new one");
    assert_ne!(before, *new.certified.end_entity_cert().unwrap().as_ref());
    assert_eq!(new.subjects, subjects(&["localhost", "10.0.0.6"]));
    assert!(own.look(&subjects(&["localhost", "10.0.0.6"]), NOW, false).is_none());
    assert_eq!(leaf(&home.open(&["localhost", "10.0.0.6"], NOW)), leaf(&own), "it is kept");
}

#[test]
fn it_is_renewed_a_month_before_its_end() {
    let home = Home::new();
    let mut own = home.open(&["localhost"], NOW);
    let names = subjects(&["localhost"]);
    assert!(own.look(&names, NOW.after(365 * DAY), false).is_none());
    let later = NOW.after(367 * DAY);
    assert_eq!(own.look(&names, later, false).expect("a new one").until, later.after(396 * DAY));
    assert!(own.look(&names, later, false).is_none());
}

#[test]
fn a_board_whose_clock_stands_in_the_past_has_a_certificate_that_others_take() {
    let home = Home::new();
    let mut own = home.open(&["localhost"], Date(0));
    assert_eq!(verdict(&own, "localhost", NOW), Ok(()));
    let before = leaf(&own);
    // The network tells the time.
    assert!(own.look(&subjects(&["localhost"]), NOW, true).is_none());
    // The same board after a power cut, again without the time.
    let mut again = home.open(&["localhost"], Date(1_000_000_000));
    assert_eq!(leaf(&again), before);
    assert!(again.look(&subjects(&["localhost"]), Date(1_000_000_000), true).is_none());
    // Years later it is again without the time at first, and what it had has ended meanwhile.
    let years = NOW.after(3 * 365 * DAY);
    assert!(own.look(&subjects(&["localhost"]), years, true).is_some());
    assert_eq!(verdict(&own, "localhost", years), Ok(()));
}

#[test]
fn what_was_made_with_a_clock_in_the_future_is_made_anew_when_the_clock_has_had_time_to_be_right() {
    let home = Home::new();
    home.open(&["localhost"], NOW.after(5 * 365 * DAY));
    let mut own = home.open(&["localhost"], NOW);
    assert!(verdict(&own, "localhost", NOW).is_err());
    assert!(own.look(&subjects(&["localhost"]), NOW, true).is_none());
    assert!(own.look(&subjects(&["localhost"]), NOW, false).is_some());
    assert_eq!(verdict(&own, "localhost", NOW), Ok(()));
}

#[test]
fn a_name_that_the_authority_may_not_vouch_for_spoils_nothing() {
    let home = Home::new();
    home.open(&["localhost"], NOW);
    let mut own = home.open_for(&["localhost", "cam.example"], "https://cam.example", NOW);
    assert_eq!(own.pair().subjects, subjects(&["localhost"]));
    assert_eq!(verdict(&own, "localhost", NOW), Ok(()));
    assert_eq!(own.told, subjects(&["cam.example"]), "said once");
    assert!(own.look(&subjects(&["localhost", "cam.example"]), NOW, false).is_none());
}

#[test]
fn an_authority_that_is_broken_or_cannot_be_kept_is_left_alone_and_another_serves_until_the_next_start() {
    let home = Home::new();
    let first = home.open(&["localhost"], NOW);
    let text = fs::read_to_string(home.authority()).unwrap();
    let (certificate, key) = text.split_at(text.find("-----BEGIN PRIVATE").unwrap());
    let other = Authority::make("Porthole", &subjects(&["localhost"]), NOW).unwrap();
    let other_key = &other[other.find("-----BEGIN PRIVATE").unwrap()..];
    let leaf_text = fs::read_to_string(home.authority().with_extension(SIGNED)).unwrap();
    for broken in ["", "nonsense", certificate, key, &format!("{certificate}{other_key}"), &leaf_text] {
        fs::write(home.authority(), broken).unwrap();
        let own = home.open(&["localhost"], NOW);
        assert_eq!(verdict(&own, "localhost", NOW), Ok(()));
        assert_ne!(own.certificate(), first.certificate());
        assert_eq!(fs::read_to_string(home.authority()).unwrap(), broken, "it may be somebody's only copy");
    }
    fs::write(home.authority(), &text).unwrap();
    assert_eq!(leaf(&home.open(&["localhost"], NOW)), leaf(&first), "and it was not replaced either");

    let file = home.0.path().join("file");
    fs::write(&file, "").unwrap();
    let own = Own::open(Some(&file.join("authority.pem")), "", &subjects(&["localhost"]), NOW).unwrap();
    assert_eq!(verdict(&own, "localhost", NOW), Ok(()));
}

#[test]
fn what_another_authority_has_signed_is_not_shown() {
    let home = Home::new();
    let first = home.open(&["localhost"], NOW);
    fs::remove_file(home.authority()).unwrap();
    let second = home.open(&["localhost"], NOW);
    assert_ne!(leaf(&first), leaf(&second));
    assert_eq!(verdict(&second, "localhost", NOW), Ok(()));
}

#[test]
fn people_hear_a_year_before_that_the_authority_ends() {
    let home = Home::new();
    let own = home.open(&["localhost"], NOW);
    assert!(own.concerns(NOW.after(8 * 365 * DAY)).is_empty());
    assert_eq!(own.concerns(NOW.after(9 * 365 * DAY + DAY)).len(), 1);
    // And what it signs then ends with it, without being made anew all the time.
    let late = NOW.after(10 * 365 * DAY - 5 * DAY);
    let mut own = home.open(&["localhost"], late);
    assert!(own.pair().until <= own.authority.until());
    assert!(own.look(&subjects(&["localhost"]), late, false).is_none());
}

/// A folder for a camera's state.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn authority(&self) -> PathBuf {
        self.0.path().join("state").join(FILE)
    }

    fn open(&self, names: &[&str], now: Date) -> Own {
        self.open_for(names, "", now)
    }

    fn open_for(&self, names: &[&str], link: &str, now: Date) -> Own {
        Own::open(Some(&self.authority()), link, &subjects(names), now).unwrap()
    }
}

fn subjects(names: &[&str]) -> BTreeSet<Subject> {
    names.iter().map(|name| Subject::of_host(name).unwrap()).collect()
}

fn leaf(own: &Own) -> Vec<u8> {
    own.pair().certified.end_entity_cert().unwrap().to_vec()
}

/// What a browser that trusts the authority makes of what is shown.
fn verdict(own: &Own, name: &str, now: Date) -> Result<(), rustls::Error> {
    judged(own.pair(), own.certificate(), name, now)
}

fn judged(
    pair: &Pair,
    authority: &CertificateDer<'static>,
    name: &str,
    now: Date,
) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).unwrap();
    let verifier =
        WebPkiServerVerifier::builder_with_provider(roots.into(), provider().into()).build().unwrap();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.0.try_into().unwrap()));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let leaf = pair.certified.end_entity_cert().unwrap();
    verifier.verify_server_cert(leaf, &[], &name, &[], at).map(|_| ())
}
