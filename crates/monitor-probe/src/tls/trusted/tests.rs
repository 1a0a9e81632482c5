//! What is remembered never changes a verdict.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::UnixTime;

use super::super::presented::fingerprint;
use super::*;

/// What a server may show: good and bad, with and without intermediates.
struct Chains {
    roots: Arc<RootCertStore>,
    shown: Vec<Vec<CertificateDer<'static>>>,
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

fn authority(years: (i32, i32)) -> CertificateParams {
    let mut params = params(&[], years);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn leaf(issuer: &Issuer, names: &[&str], years: (i32, i32)) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let certificate = params(names, years).signed_by(&key, issuer).unwrap();
    certificate.der().clone()
}

static CHAINS: LazyLock<Chains> = LazyLock::new(|| {
    let root =
        || CertifiedIssuer::self_signed(authority((2000, 2100)), KeyPair::generate().unwrap());
    let (trusted, stranger) = (root().unwrap(), root().unwrap());
    let intermediate = |issuer: &Issuer, years| {
        let key = KeyPair::generate().unwrap();
        CertifiedIssuer::signed_by(authority(years), key, issuer).unwrap()
    };
    let (young, old) = (
        intermediate(&trusted, (2020, 2040)),
        intermediate(&trusted, (2000, 2022)),
    );
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let direct = leaf(&trusted, &["a.example", "127.0.0.1"], (2015, 2030));
    let through = leaf(&young, &["b.example"], (2018, 2035));
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
        roots: Arc::new(roots),
        shown,
    }
});

fn verifier() -> Arc<WebPkiServerVerifier> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = Arc::clone(&CHAINS.roots);
    WebPkiServerVerifier::builder_with_provider(roots, provider)
        .build()
        .unwrap()
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
            (0..8_usize, 0..NAMES.len(), 2008..2042_u64, 0..60_000_u64), 1..60,
        ),
    ) {
        let (plain, trusted) = (verifier(), Trusted::new(verifier()));
        for (chain, name, year, seconds) in handshakes {
            let (certificate, intermediates) = CHAINS.shown[chain].split_first().unwrap();
            let name = ServerName::try_from(NAMES[name]).unwrap();
            let now = time(year, seconds);
            let expected = plain.verify_server_cert(certificate, intermediates, &name, &[], now);
            let print = fingerprint(certificate, intermediates);
            let presented = Presented::read(print, certificate, intermediates);
            let shown = Shown { certificate, intermediates, name: &name, ocsp_response: &[] };
            let verdict = trusted.verify(&shown, &presented, now);
            prop_assert_eq!(
                verdict.map(drop).map_err(|error| error.to_string()),
                expected.map(drop).map_err(|error| error.to_string())
            );
        }
    }
}

#[test]
fn a_success_is_remembered_only_while_every_certificate_is_valid() {
    let trusted = Trusted::new(verifier());
    let (certificate, intermediates) = CHAINS.shown[2].split_first().unwrap();
    let name = ServerName::try_from("b.example").unwrap();
    let print = fingerprint(certificate, intermediates);
    let presented = Presented::read(print, certificate, intermediates);
    let shown = Shown {
        certificate,
        intermediates,
        name: &name,
        ocsp_response: &[],
    };
    let key = (print, name.clone());
    assert!(trusted.verified.get(&key).is_none());
    trusted.verify(&shown, &presented, time(2025, 0)).unwrap();
    assert!(trusted.verified.get(&key).is_some());
    trusted
        .verify(&shown, &presented, time(2036, 0))
        .unwrap_err();
    trusted
        .verify(&shown, &presented, time(2019, 0))
        .unwrap_err();
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
