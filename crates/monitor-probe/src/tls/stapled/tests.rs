//! What proves a revocation, and what does not.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proptest::prelude::*;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use test_servers::{Authority, CertificateStatus, Identity, Leaf, OcspAnswer, Signer};

use super::*;

/// 2026-01-01, when the certificates of the tests are valid.
const NOW: i64 = 1_767_225_600;

const REVOKED: OcspAnswer = OcspAnswer {
    status: CertificateStatus::Revoked,
    from: NOW - 60,
    until: Some(NOW + 60),
};

struct Scene {
    authority: Authority,
    leaf: Identity,
    trusted: Trusted,
}

impl Scene {
    fn new() -> Self {
        let authority = Authority::root().unwrap();
        let leaf = authority.issue(&Leaf::default()).unwrap();
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap();
        roots.add(root).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let trusted = Trusted::new(roots, &provider).unwrap();
        Self {
            authority,
            leaf,
            trusted,
        }
    }

    fn answer(&self, answer: OcspAnswer, signer: Signer<'_>) -> Vec<u8> {
        answer.about(&self.leaf, &self.authority, signer).unwrap()
    }

    /// That of the authority.
    fn says(&self, answer: OcspAnswer) -> bool {
        self.proves(&self.answer(answer, Signer::Authority(&self.authority)))
    }

    fn proves(&self, response: &[u8]) -> bool {
        let certificate = CertificateDer::from(self.leaf.der().unwrap());
        let shown = Shown {
            certificate: &certificate,
            intermediates: &[],
            name: &ServerName::try_from("site.test").unwrap(),
            ocsp_response: response,
        };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.unsigned_abs()));
        revoked(&self.trusted, &shown, now).is_some()
    }
}

static SCENE: LazyLock<Scene> = LazyLock::new(Scene::new);

#[test]
fn the_authority_and_whom_it_has_asked_to_speak_for_it_are_believed() {
    assert!(SCENE.says(REVOKED));
    let responder = SCENE.authority.issue(&Leaf::of_responder()).unwrap();
    assert!(SCENE.proves(&SCENE.answer(REVOKED, Signer::Responder(&responder))));
}

#[test]
fn nobody_else_is_believed() {
    let stranger = Authority::root().unwrap();
    assert!(!SCENE.proves(&SCENE.answer(REVOKED, Signer::Authority(&stranger))));
    for responder in [
        SCENE.authority.issue(&Leaf::default()).unwrap(),
        SCENE.leaf.clone(),
        stranger.issue(&Leaf::of_responder()).unwrap(),
        Leaf::of_responder().self_signed().unwrap(),
    ] {
        let response = SCENE.answer(REVOKED, Signer::Responder(&responder));
        assert!(!SCENE.proves(&response));
    }
}

#[test]
fn only_a_revocation_counts() {
    for status in [CertificateStatus::Good, CertificateStatus::Unknown] {
        assert!(!SCENE.says(OcspAnswer { status, ..REVOKED }));
    }
}

#[test]
fn an_answer_counts_in_its_time() {
    let check = |from, until: Option<i64>, expected| {
        let answer = OcspAnswer {
            from: NOW + from,
            until: until.map(|until| NOW + until),
            ..REVOKED
        };
        assert_eq!(SCENE.says(answer), expected, "from {from} until {until:?}");
    };
    check(-10 * DAY, Some(1), true);
    check(-10 * DAY, Some(0), false);
    check(-DAY + 1, None, true);
    check(-DAY, None, false);
    // The clock of the responder may be a little ahead.
    check(SKEW, Some(DAY), true);
    check(SKEW + 1, Some(DAY), false);
}

#[test]
fn an_answer_about_another_certificate_does_not_count() {
    let signer = Signer::Authority(&SCENE.authority);
    let other = SCENE.authority.issue(&Leaf::default()).unwrap();
    let response = REVOKED.about(&other, &SCENE.authority, signer).unwrap();
    assert!(!SCENE.proves(&response));
    // The same number, but of an issuer with another key or another name.
    for name in ["test root", "other root"] {
        let issuer = Authority::root_called(name).unwrap();
        let response = REVOKED.about(&SCENE.leaf, &issuer, signer).unwrap();
        assert!(!SCENE.proves(&response));
    }
}

proptest! {
    #[test]
    fn what_is_changed_on_the_way_proves_nothing(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let original = SCENE.answer(REVOKED, Signer::Authority(&SCENE.authority));
        let mut changed = original.clone();
        for (position, byte) in changes {
            changed[position.index(original.len())] = byte;
        }
        if SCENE.proves(&changed) {
            let [original, changed] = [&original, &changed].map(|response| Response::read(response));
            let [original, changed] = [original.unwrap(), changed.unwrap()];
            prop_assert_eq!(changed.data, original.data);
            prop_assert_eq!(changed.signature, original.signature);
        }
    }

    #[test]
    fn any_bytes_are_a_response_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!SCENE.proves(&bytes));
    }
}
