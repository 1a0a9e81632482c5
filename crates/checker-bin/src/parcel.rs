//! A result as it is spooled: packed once, and handed to the producer as it is.

use anyhow::Context as _;
use monitor_core::CheckEvent;

/// Packed like this. Whatever changes here gets a new number: a spool outlives an update.
const WHOLE: u8 = 1;
/// The same, after its evidence was cut.
const CUT: u8 = 2;
/// Length of a W3C `traceparent`.
const TRACEPARENT: usize = 55;
/// Largest payload. Kafka's own default for the largest message is four times as much; what a check
/// finds is far smaller unless a server makes it large.
pub(crate) const LARGEST: usize = 256 * 1024;

/// The parts of a packed result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parcel<'a> {
    /// Key of the message.
    pub(crate) key: &'a [u8],
    /// Its `traceparent` header.
    pub(crate) traceparent: &'a [u8],
    /// The event as JSON.
    pub(crate) payload: &'a [u8],
}

/// Packs a result. One that is too large loses its evidence first.
pub(crate) fn pack(result: &CheckEvent) -> anyhow::Result<Vec<u8>> {
    let packed = pack_as(WHOLE, result)?;
    if packed.len() <= LARGEST {
        return Ok(packed);
    }
    pack_as(CUT, &without_evidence(result.clone()))
}

fn pack_as(form: u8, result: &CheckEvent) -> anyhow::Result<Vec<u8>> {
    let (key, traceparent) = (result.key(), result.traceparent());
    let length = u8::try_from(key.len()).context("a site's id is longer than any number")?;
    let mut packed = Vec::with_capacity(1024);
    packed.extend([form, length]);
    packed.extend(key.as_bytes());
    packed.extend(traceparent.as_bytes());
    result.encode_into(&mut packed)?;
    Ok(packed)
}

/// The parts of a packed result; `None` when it was packed in a way that is not known here.
pub(crate) fn unpack(packed: &[u8]) -> Option<Parcel<'_>> {
    let (&[form, length], rest) = packed.split_first_chunk()?;
    if !matches!(form, WHOLE | CUT) {
        return None;
    }
    let (key, rest) = rest.split_at_checked(usize::from(length))?;
    let (traceparent, payload) = rest.split_at_checked(TRACEPARENT)?;
    Some(Parcel {
        key,
        traceparent,
        payload,
    })
}

/// The same result without its evidence, for a broker that finds it too large; `None` when nothing
/// is left to cut.
pub(crate) fn cut(packed: &[u8]) -> Option<Vec<u8>> {
    if packed.first() != Some(&WHOLE) {
        return None;
    }
    let result = serde_json::from_slice(unpack(packed)?.payload).ok()?;
    pack_as(CUT, &without_evidence(result)).ok()
}

/// Keeps what happened and loses what a server may have made long.
fn without_evidence(mut result: CheckEvent) -> CheckEvent {
    if let Some(http) = &mut result.http {
        http.final_url = None;
        http.hops.clear();
    }
    if let Some(tls) = &mut result.tls {
        (tls.subject, tls.issuer, tls.verify_error) = (None, None, None);
        tls.chain.clear();
    }
    result
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use monitor_core::event::{Hop, HttpFacts, Timings};
    use monitor_core::{Failure, FailureKind, SiteId, Slot};

    use super::*;

    fn result(hops: usize) -> CheckEvent {
        let slot = Slot {
            site_id: SiteId(42),
            region: "local".parse().unwrap(),
            scheduled_at: DateTime::UNIX_EPOCH,
        };
        let failure = Failure::new(FailureKind::UnexpectedStatus, None, "503");
        let mut result = CheckEvent::missed(&slot, "checker", failure);
        let hop = Hop {
            url: format!("http://a/{}", "x".repeat(2000)),
            status_code: 301,
            remote_addr: None,
            timings_us: Timings::default(),
        };
        result.http = Some(HttpFacts {
            version: Some("1.1".to_owned()),
            remote_addr: None,
            redirects: 10,
            final_url: Some("http://a/".to_owned()),
            body_bytes: 7,
            hops: vec![hop; hops],
        });
        result
    }

    #[test]
    fn a_packed_result_has_its_key_its_header_and_its_json() {
        let result = result(1);
        let packed = pack(&result).unwrap();
        let parcel = unpack(&packed).unwrap();
        assert_eq!(parcel.key, b"42");
        assert_eq!(parcel.traceparent, result.traceparent().as_bytes());
        assert_eq!(parcel.payload, result.encode().unwrap());
    }

    #[test]
    fn a_result_loses_its_evidence_once_and_nothing_else() {
        let whole = result(20);
        let cut = cut(&pack(&whole).unwrap()).unwrap();
        let parcel = unpack(&cut).unwrap();
        assert!(parcel.payload.len() < 1000, "{}", parcel.payload.len());
        let read: CheckEvent = serde_json::from_slice(parcel.payload).unwrap();
        assert_eq!((read.id, &read.failure), (whole.id, &whole.failure));
        assert_eq!(super::cut(&cut), None);
    }

    #[test]
    fn a_result_that_no_broker_would_take_is_cut_before_it_is_spooled() {
        assert!(result(200).encode().unwrap().len() > LARGEST);
        let packed = pack(&result(200)).unwrap();
        assert!(packed.len() < LARGEST);
        assert_eq!(cut(&packed), None);
    }

    #[test]
    fn what_was_packed_in_another_way_is_not_guessed_at() {
        for unknown in [
            &b""[..],
            &[3, 1, b'4'],
            &[WHOLE, 200, b'4'],
            &[WHOLE, 1, b'4', b'{'],
        ] {
            assert_eq!(unpack(unknown), None, "{unknown:?}");
        }
    }
}
