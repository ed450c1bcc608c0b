//! The rules of https in `[relay]`: which certificate, and whether http may stay. Must not read a certificate.

use std::path::Path;

use super::reader::{self, Reader};
use super::settings::{TlsSettings, TlsSource};

/// Where the certificate comes from, before its files are known.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Own,
    Files,
    Off,
}

/// Reads how https is spoken. `folder` is where relative paths start.
pub(super) fn tls(section: &mut Reader<'_, '_>, default: TlsSettings, folder: &Path) -> TlsSettings {
    let kinds = [("own", Kind::Own), ("files", Kind::Files), ("off", Kind::Off)];
    let kind = section.word("tls", Kind::Own, &kinds);
    let mut path = |key| section.take(key, None, |entry| reader::file(entry, folder));
    let (authority, certificate, key) = (path("authority"), path("certificate"), path("key"));
    let redirect = section.take("redirect", default.redirect, |entry| entry.value.as_bool());

    let mut only_with = |key: &str, written: bool, fits: bool, why: &str| {
        if written && !fits && section.file.trusts(&["relay.tls", &format!("relay.{key}")]) {
            section.contradict(key, why);
        }
    };
    only_with("authority", authority.is_some(), kind == Kind::Own, r#"only with tls = "own""#);
    only_with("certificate", certificate.is_some(), kind == Kind::Files, r#"only with tls = "files""#);
    only_with("key", key.is_some(), kind == Kind::Files, r#"only with tls = "files""#);
    let nowhere = r#"there is no https to go to: leave out redirect, or tls = "off""#;
    only_with("redirect", redirect, kind != Kind::Off, nowhere);

    let source = match kind {
        Kind::Own => TlsSource::Own { authority },
        Kind::Off => TlsSource::Off,
        Kind::Files => {
            for (key, missing) in [("certificate", certificate.is_none()), ("key", key.is_none())] {
                if missing && section.file.trusts(&[&format!("relay.{key}")]) {
                    section.contradict(
                        "tls",
                        &format!("write the path of the PEM file under {key}, as in {key} = \"{key}.pem\""),
                    );
                }
            }
            TlsSource::Files { certificate: certificate.unwrap_or_default(), key: key.unwrap_or_default() }
        }
    };
    TlsSettings { source, redirect }
}
