//! What is remembered never changes a verdict.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    IsCa, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateRevocationListDer;
use x509_parser::parse_x509_certificate;

use super::super::presented::{Fingerprint, fingerprint};
use super::*;
use crate::revocation::List;

/// What a server may show: good and bad, with and without intermediates.
struct Chains {
    roots: RootCertStore,
    shown: Vec<Vec<CertificateDer<'static>>>,
    lists: Vec<Lists>,
}

/// What a checker may be given.
struct Lists {
    ours: Known,
    /// Those of it that are about our authorities.
    plain: Vec<CertificateRevocationListDer<'static>>,
}

const NAMES: [&str; 3] = ["a.example", "b.example", "127.0.0.1"];

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn params(names: &[&str], years: (i32, i32)) -> CertificateParams {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params
}

fn authority(name: &str, years: (i32, i32)) -> CertificateParams {
    let mut params = params(&[], years);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn leaf(issuer: &Issuer, names: &[&str], years: (i32, i32)) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let certificate = params(names, years).signed_by(&key, issuer).unwrap();
    certificate.der().clone()
}

fn root() -> Issuer {
    let params = authority("root", (2000, 2100));
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A list that an authority made in this year.
fn list(
    issuer: &Issuer,
    year: i32,
    revoked: &[&CertificateDer<'_>],
) -> CertificateRevocationListDer<'static> {
    let entry = |certificate: &&CertificateDer<'_>| RevokedCertParams {
        serial_number: SerialNumber::from_slice(
            parse_x509_certificate(certificate).unwrap().1.raw_serial(),
        ),
        revocation_time: date_time_ymd(2010, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(year, 1, 1),
        next_update: date_time_ymd(year + 1, 1, 1),
        crl_number: SerialNumber::from_slice(&year.to_be_bytes()),
        issuing_distribution_point: None,
        revoked_certs: revoked.iter().map(entry).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(issuer).unwrap().into()
}

/// What a checker is given at once: first what is about our authorities, the latest first.
fn lists(
    generation: u64,
    plain: Vec<CertificateRevocationListDer<'static>>,
    others: Vec<CertificateRevocationListDer<'static>>,
) -> Lists {
    // However the files are called.
    let given = others.into_iter().chain(plain.iter().rev().cloned());
    let given = given.flat_map(|list| List::read_all(&list).unwrap());
    Lists {
        ours: Known::new(generation, given.collect()),
        plain,
    }
}

static CHAINS: LazyLock<Chains> = LazyLock::new(|| {
    let (trusted, stranger) = (root(), root());
    let intermediate = |issuer: &Issuer, name, years| {
        let key = KeyPair::generate().unwrap();
        CertifiedIssuer::signed_by(authority(name, years), key, issuer).unwrap()
    };
    let (young, old) = (
        intermediate(&trusted, "young", (2020, 2040)),
        intermediate(&trusted, "old", (2000, 2022)),
    );
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let direct = leaf(&trusted, &["a.example", "127.0.0.1"], (2015, 2030));
    let through = leaf(&young, &["b.example"], (2018, 2035));
    let revokes_direct = list(&trusted, 2024, &[&direct]);
    let revokes_young = list(&trusted, 2025, &[young.der()]);
    let lists = vec![
        lists(0, vec![], vec![]),
        lists(1, vec![revokes_direct.clone()], vec![]),
        // The latest list counts, whatever an earlier one has said.
        lists(
            2,
            vec![revokes_young.clone(), revokes_direct.clone()],
            vec![],
        ),
        lists(
            3,
            vec![list(&young, 2024, &[&through]), list(&trusted, 2024, &[])],
            vec![],
        ),
        // Another authority of the same name, whose list is later.
        lists(
            4,
            vec![revokes_direct],
            vec![list(&stranger, 2026, &[&direct])],
        ),
        lists(
            5,
            vec![],
            vec![list(&stranger, 2026, &[&direct, &through, young.der()])],
        ),
        lists(
            6,
            vec![revokes_young, list(&young, 2024, &[&through])],
            vec![],
        ),
    ];
    let mut tampered = direct.to_vec();
    let last = tampered.len() - 1;
    tampered[last] ^= 1;
    let shown = vec![
        vec![direct.clone()],
        // An intermediate that nobody needs, and that has ended sooner.
        vec![direct, old.der().clone()],
        vec![through.clone(), young.der().clone()],
        vec![through],
        vec![leaf(&old, &["a.example"], (2010, 2050)), old.der().clone()],
        vec![
            leaf(&stranger, &NAMES, (2000, 2100)),
            stranger.der().clone(),
        ],
        vec![tampered.into()],
        vec![vec![1, 2, 3].into()],
    ];
    Chains {
        roots,
        shown,
        lists,
    }
});

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn trusted() -> Trusted {
    Trusted::new(CHAINS.roots.clone(), &provider()).unwrap()
}

/// The verifier of rustls, which remembers nothing.
fn plain(lists: &Lists) -> Arc<WebPkiServerVerifier> {
    let roots = Arc::new(CHAINS.roots.clone());
    WebPkiServerVerifier::builder_with_provider(roots, provider())
        .with_crls(lists.plain.iter().cloned())
        .allow_unknown_revocation_status()
        .build()
        .unwrap()
}

/// What a server shows in a handshake: one of the chains, for a name, without a stapled response.
fn handshake<'a>(
    chain: usize,
    name: &'a ServerName<'static>,
) -> (Fingerprint, Presented, Shown<'a>) {
    let (certificate, intermediates) = CHAINS.shown[chain].split_first().unwrap();
    let print = fingerprint(certificate, intermediates);
    let presented = Presented::read(print, certificate, intermediates);
    let shown = Shown {
        certificate,
        intermediates,
        name,
        ocsp_response: &[],
    };
    (print, presented, shown)
}

fn reason(error: Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(error)))
            if error.is::<Revoked>() =>
        {
            Error::from(CertificateError::Revoked).to_string()
        }
        other => other.to_string(),
    }
}

/// The first second of a year, roughly, and some seconds more.
fn time(year: u64, seconds: u64) -> UnixTime {
    let since_1970 = (year - 1970) * 31_556_952 + seconds;
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(since_1970))
}

proptest! {
    #[test]
    fn the_verdict_is_that_of_the_plain_verifier(
        handshakes in prop::collection::vec(
            (0..8_usize, 0..7_usize, 0..NAMES.len(), 2008..2042_u64, 0..60_000_u64), 1..60,
        ),
    ) {
        let trusted = trusted();
        let plain: Vec<_> = CHAINS.lists.iter().map(plain).collect();
        for (chain, lists, name, year, seconds) in handshakes {
            let name = ServerName::try_from(NAMES[name]).unwrap();
            let (_, presented, shown) = handshake(chain, &name);
            let now = time(year, seconds);
            let plain = &plain[lists];
            let expected = plain.verify_server_cert(
                shown.certificate, shown.intermediates, &name, &[], now,
            );
            let verdict = trusted.verify(&shown, &presented, &CHAINS.lists[lists].ours, now);
            prop_assert_eq!(
                verdict.map(drop).map_err(reason),
                expected.map(drop).map_err(reason)
            );
        }
    }
}

#[test]
fn a_success_is_remembered_only_while_every_certificate_is_valid() {
    let (trusted, none) = (trusted(), Known::default());
    let name = ServerName::try_from("b.example").unwrap();
    let (print, presented, shown) = handshake(2, &name);
    let key = (print, name.clone());
    assert!(trusted.verified.get(&key).is_none());
    let verify = |year| trusted.verify(&shown, &presented, &none, time(year, 0));
    verify(2025).unwrap();
    assert!(trusted.verified.get(&key).is_some());
    verify(2036).unwrap_err();
    verify(2019).unwrap_err();
}

#[test]
fn what_lists_say_is_remembered_until_they_change() {
    let trusted = trusted();
    let name = ServerName::try_from("b.example").unwrap();
    let (print, presented, shown) = handshake(2, &name);
    let lists = |number: usize| &CHAINS.lists[number].ours;
    let verify = |number| trusted.verify(&shown, &presented, lists(number), time(2025, 0));
    let remembered = |number: u64| trusted.remembered.get(&(print, number));
    verify(0).unwrap();
    assert_eq!(remembered(0), None);
    verify(1).unwrap();
    assert_eq!(remembered(1), Some(None));
    assert_eq!(remembered(2), None);
    verify(2).unwrap_err();
    assert_eq!(
        remembered(2).flatten().unwrap().to_string(),
        "certificate CN=young is in the revocation list of CN=root"
    );
}

#[test]
fn other_certificates_and_other_splits_have_other_fingerprints() {
    let prints: std::collections::HashSet<_> = CHAINS
        .shown
        .iter()
        .map(|chain| fingerprint(&chain[0], &chain[1..]))
        .collect();
    assert_eq!(prints.len(), CHAINS.shown.len());
    let der = |bytes: &[u8]| CertificateDer::from(bytes.to_vec());
    assert_ne!(
        fingerprint(&der(b"ab"), &[der(b"c")]),
        fingerprint(&der(b"a"), &[der(b"bc")])
    );
}
