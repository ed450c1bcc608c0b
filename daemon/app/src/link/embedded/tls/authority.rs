//! The small authority of our own: made once, it signs what this machine shows. Must not know where it is kept.
//!
//! Somebody trusts it on a phone, so it must not be able to do more than this camera needs: it signs no other
//! authorities, and vouches for no name that could be somebody else's.

use std::collections::BTreeSet;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::names::Subject;
use super::pair::{DAY, Date};

/// How long the authority holds.
const YEARS: i64 = 10;
/// How long what it signs holds: the longest that every browser takes.
const LEAF_DAYS: i64 = 397;
/// 2026-11-01. No clock of ours stands before; one that seems to is that of a board without a battery.
const RELEASE: Date = Date(1_793_491_200);
/// 2026-01-01: the authority holds from then on, whatever the clock said when it was made.
const BEGINNING: Date = Date(1_767_225_600);
/// Endings of names that nobody owns outside of one's own network (RFC 6761, 6762, 8375; ICANN on .internal), and what
/// home routers use.
const OWN_ENDINGS: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "lan"];

/// An authority with its key.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    until: Date,
    /// Endings of the names that it may vouch for; `None` for any.
    permitted: Option<Vec<String>>,
}

/// Why something is no authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAuthority {
    /// There is no certificate, or it is broken.
    #[error("there is no sound certificate in it")]
    Certificate,
    /// The certificate is not that of an authority.
    #[error("its certificate is not that of an authority (CA:TRUE)")]
    SignsNothing,
    /// There is no key, or it is broken.
    #[error("there is no key in it that can be used")]
    Key,
    /// The key is another's.
    #[error("its key is not that of its certificate")]
    NotTogether,
}

impl Authority {
    /// A new one for a machine with these names, as PEM with its key: what [`Authority::from_pem`] reads. `what` is what
    /// people read in the list of those they trust.
    ///
    /// # Errors
    /// Those of the random numbers.
    pub fn make(what: &str, subjects: &BTreeSet<Subject>, now: Date) -> Result<String, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let own = OWN_ENDINGS.iter().map(|ending| (*ending).to_owned());
        let names = subjects.iter().filter_map(|subject| match subject {
            Subject::Name(name) => Some(name.clone()),
            // Constraints on addresses only stand where there are any, so it may vouch for all.
            Subject::Address(_) => None,
        });
        let endings: BTreeSet<String> = own.chain(names).collect();
        let mut params = CertificateParams::default();
        // Two authorities of one name would be taken for each other.
        let mark: String =
            Sha256::digest(key.der_bytes()).iter().take(3).map(|byte| format!("{byte:02x}")).collect();
        params.distinguished_name = named(&format!("{what} ({mark})"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: endings.into_iter().map(GeneralSubtree::DnsName).collect(),
            excluded_subtrees: Vec::new(),
        });
        params.not_before = BEGINNING.time();
        params.not_after = now.max(RELEASE).after(YEARS * 365 * DAY).time();
        let certificate = params.self_signed(&key)?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }

    /// Reads certificate and key.
    ///
    /// # Errors
    /// [`BadAuthority`].
    pub fn from_pem(text: &[u8]) -> Result<Self, BadAuthority> {
        let certificate =
            CertificateDer::from_pem_slice(text).map_err(|_| BadAuthority::Certificate)?.into_owned();
        let key = PrivateKeyDer::from_pem_slice(text).map_err(|_| BadAuthority::Key)?;
        let key = KeyPair::try_from(&key).map_err(|_| BadAuthority::Key)?;
        let (_, seen) = X509Certificate::from_der(&certificate).map_err(|_| BadAuthority::Certificate)?;
        if !seen.is_ca() {
            return Err(BadAuthority::SignsNothing);
        }
        if *seen.public_key().subject_public_key.data != *key.der_bytes() {
            return Err(BadAuthority::NotTogether);
        }
        let (until, permitted) = (Date(seen.validity().not_after.timestamp()), permitted(&seen));
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|_| BadAuthority::Certificate)?;
        Ok(Self { issuer, certificate, until, permitted })
    }

    /// A certificate for `subjects` and its key, as PEM. It holds from a day ago, or for a clock that stands before this
    /// program was made: as if it had been made today then.
    ///
    /// # Errors
    /// Those of the random numbers, and of names that can stand in no certificate.
    pub fn sign(&self, subjects: &BTreeSet<Subject>, now: Date) -> Result<String, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named("Porthole");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.subject_alt_names = subjects
            .iter()
            .map(|subject| match subject {
                Subject::Name(name) => name.as_str().try_into().map(SanType::DnsName),
                Subject::Address(address) => Ok(SanType::IpAddress(*address)),
            })
            .collect::<Result<_, _>>()?;
        let from = now.max(RELEASE).after(-DAY);
        params.not_before = from.time();
        params.not_after = from.after(LEAF_DAYS * DAY).min(self.until).time();
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }

    /// Whether it may vouch for `subject`. A certificate with one name more is worth nothing to anybody.
    pub fn may_vouch_for(&self, subject: &Subject) -> bool {
        match (subject, &self.permitted) {
            (Subject::Name(name), Some(endings)) => endings.iter().any(|ending| {
                name.strip_suffix(ending.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }),
            _ => true,
        }
    }

    /// Whether it has signed `certificate` (DER).
    pub fn has_signed(&self, certificate: &[u8]) -> bool {
        let own = X509Certificate::from_der(&self.certificate);
        let Ok((_, own)) = own else { return false };
        X509Certificate::from_der(certificate)
            .is_ok_and(|(_, seen)| seen.verify_signature(Some(own.public_key())).is_ok())
    }

    /// Its certificate, for those who are to trust it. DER.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// When it no longer holds.
    pub fn until(&self) -> Date {
        self.until
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

fn permitted(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let constraints = certificate.name_constraints().ok().flatten()?;
    let names = constraints.value.permitted_subtrees.as_ref()?.iter().filter_map(|tree| match &tree.base {
        GeneralName::DNSName(name) => Some(name.trim_start_matches('.').to_ascii_lowercase()),
        _ => None,
    });
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then_some(names)
}
