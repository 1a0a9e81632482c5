//! The check event, `monitor.check.v1`: what one slot of one site came to.
//!
//! The wire contract between the checker and whoever reads the topic. A reader ignores fields that
//! it does not know; a writer never changes the meaning of one. The JSON Schema in `schema/` is
//! generated from these types.

mod decode;
pub(crate) mod instant;
mod kept;
mod text;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

pub use self::decode::DecodeError;
pub use self::kept::{Evidence, KeptEvent};
pub use self::text::Text;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::region::Region;
use crate::site::SiteId;
use crate::slot::Slot;

/// Value of the `schema` field and of the Kafka header of that name.
pub const SCHEMA: &str = "monitor.check.v1";

/// Room for most events, in bytes.
const USUAL_SIZE: usize = 1024;

/// The JSON Schema of [`CheckEvent`], as committed under `schema/`.
#[must_use]
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(CheckEvent)
}

// `T` is what texts are: of a `Text<'_>`, reading an event copies none. It is no part of the schema,
// and these words would be.
/// One finished (or missed) check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(bound(deserialize = "T: AsRef<str> + Default + Deserialize<'de>"))]
#[schemars(
    title = "monitor.check.v1",
    bound = "T: Default + Serialize + JsonSchema"
)]
pub struct CheckEvent<T = String> {
    /// Always `monitor.check.v1`.
    #[schemars(extend("const" = "monitor.check.v1"))]
    pub schema: T,
    /// UUID v5 of site, region and instant: the same slot always has the same id.
    pub id: Uuid,
    /// The site that was checked.
    pub site_id: SiteId,
    /// Where it was checked from.
    pub region: Region<T>,
    /// Which checker did it.
    pub checker: T,
    /// The slot: when the check was due.
    #[serde(with = "instant")]
    #[schemars(with = "DateTime<Utc>")]
    pub scheduled_at: DateTime<Utc>,
    /// When the check really began; `null` when it was missed.
    #[serde(with = "instant::option", default)]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub started_at: Option<DateTime<Utc>>,
    /// How the slot ended.
    pub outcome: Outcome,
    /// Why it was not a success; `null` for `up` and `degraded`.
    #[serde(default)]
    pub failure: Option<Failure<T>>,
    /// What calls for attention although the check succeeded; absent when nothing does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Whether most sites of the checker had begun to fail at once: then its own network is the
    /// likelier cause. Absent when not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspect: bool,
    /// The last response's status code, wherever one was seen, also in failures.
    #[serde(default)]
    #[schemars(range(min = 100, max = 999))]
    pub status_code: Option<u16>,
    /// What became of the site's content rules.
    pub content: ContentMatch,
    /// How long the phases of the last hop took, in microseconds.
    pub timings_us: Timings,
    /// How often the site was tried for this slot; 0 when it was missed.
    pub attempts: u16,
    /// Facts about the HTTP exchange; `null` when none took place.
    #[serde(default)]
    pub http: Option<HttpFacts<T>>,
    /// Facts about the TLS session and certificate, also when verification failed.
    #[serde(default)]
    pub tls: Option<TlsFacts<T>>,
}

/// Whether the body had the expected content.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ContentMatch {
    /// Every content rule held.
    Matched,
    /// A content rule did not hold.
    Unmatched,
    /// The site has no content rule, or the check did not get as far as the body.
    NotChecked,
}

/// Why a successful check is `degraded`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Warning {
    /// The total time exceeds the site's `max_response_time`.
    SlowResponse,
    /// The certificate ends within the site's `cert_expiry_warning`.
    CertExpiresSoon,
}

/// How long each phase took, in microseconds; `null` for one that was not reached.
///
/// The phases completed before a failure are kept. `total` runs from the start of the check to
/// its end, over all redirects, so it can exceed the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timings {
    /// Resolving the host name.
    #[serde(default)]
    pub dns: Option<u32>,
    /// Opening the TCP connection.
    #[serde(default)]
    pub connect: Option<u32>,
    /// The TLS handshake.
    #[serde(default)]
    pub tls: Option<u32>,
    /// From the first byte of the request to the response head.
    #[serde(default)]
    pub first_byte: Option<u32>,
    /// From the response head to the end of the body.
    #[serde(default)]
    pub transfer: Option<u32>,
    /// The whole check.
    #[serde(default)]
    pub total: Option<u32>,
}

/// Facts about the last HTTP exchange of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(bound = "T: Serialize + JsonSchema")]
pub struct HttpFacts<T = String> {
    /// `1.0`, `1.1` or `2`; `null` when no response was seen.
    #[serde(default)]
    pub version: Option<T>,
    /// Address and port that was connected to.
    #[serde(default)]
    pub remote_addr: Option<T>,
    /// How many redirects were followed.
    pub redirects: u8,
    /// Where the last request went, without query and fragment.
    #[serde(default)]
    pub final_url: Option<T>,
    /// Decoded bytes of the body that were read.
    pub body_bytes: u64,
    /// The responses that led elsewhere, in order; absent when none did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop<T>>,
}

/// A redirect that was followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(bound = "T: Serialize + JsonSchema")]
pub struct Hop<T = String> {
    /// Where the request went, without query and fragment.
    pub url: T,
    /// The status that led elsewhere.
    pub status_code: u16,
    /// Address and port that was connected to.
    #[serde(default)]
    pub remote_addr: Option<T>,
    /// How long its phases took; without transfer, because a redirect's body is not read.
    pub timings_us: Timings,
}

/// Facts about the last TLS session of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, bound(deserialize = "T: Default + Deserialize<'de>"))]
#[schemars(bound = "T: Default + Serialize + JsonSchema")]
pub struct TlsFacts<T = String> {
    /// Protocol version, such as `1.3`; `null` when the handshake did not end.
    pub version: Option<T>,
    /// Cipher suite, by its IANA name.
    pub cipher: Option<T>,
    /// Subject of the server's certificate.
    pub subject: Option<T>,
    /// Its issuer.
    pub issuer: Option<T>,
    /// Valid from.
    #[serde(with = "instant::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub not_before: Option<DateTime<Utc>>,
    /// Valid until.
    #[serde(with = "instant::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub not_after: Option<DateTime<Utc>>,
    /// SHA-256 of the certificate, in hexadecimal.
    pub sha256: Option<T>,
    /// The certificates that the server sent after its own, in order; only of a check that is not
    /// simply up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<ChainCertificate<T>>,
    /// What verification found wrong, of a site that does not ask for it (`tls_verify: false`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_error: Option<VerifyError<T>>,
}

/// A certificate that the server sent after its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, bound(deserialize = "T: Default + Deserialize<'de>"))]
#[schemars(bound = "T: Default + Serialize + JsonSchema")]
pub struct ChainCertificate<T = String> {
    /// Its subject.
    pub subject: Option<T>,
    /// Its issuer.
    pub issuer: Option<T>,
    /// Valid until.
    #[serde(with = "instant::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub not_after: Option<DateTime<Utc>>,
    /// Its SHA-256, in hexadecimal.
    pub sha256: Option<T>,
}

/// Why a certificate was not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifyError<T = String> {
    /// The failure that it would have been.
    pub kind: FailureKind,
    /// One line for people.
    pub detail: T,
}

impl From<Failure> for VerifyError {
    fn from(Failure { kind, detail, .. }: Failure) -> Self {
        Self { kind, detail }
    }
}

impl CheckEvent {
    /// The event of a slot that was not checked, and why.
    #[must_use]
    pub fn missed(slot: &Slot, checker: &str, failure: Failure) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            id: slot.check_id(),
            site_id: slot.site_id,
            region: slot.region.clone(),
            checker: checker.to_owned(),
            scheduled_at: slot.scheduled_at,
            started_at: None,
            outcome: failure.kind.fault().outcome(),
            failure: Some(failure),
            warnings: Vec::new(),
            suspect: false,
            status_code: None,
            content: ContentMatch::NotChecked,
            timings_us: Timings::default(),
            attempts: 0,
            http: None,
            tls: None,
        }
    }

    /// The slot that this event is the result of.
    #[must_use]
    pub fn slot(&self) -> Slot {
        Slot {
            site_id: self.site_id,
            region: self.region.clone(),
            scheduled_at: self.scheduled_at,
        }
    }

    /// Key of the Kafka message: the site id in decimal, so that one site stays in one partition.
    #[must_use]
    pub fn key(&self) -> String {
        self.site_id.to_string()
    }

    /// W3C `traceparent` of the check: the trace id is the check's id, so that a trace can be found
    /// from a row and the row from a trace.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let (_, span) = self.id.as_u64_pair();
        format!("00-{}-{span:016x}-01", self.id.simple())
    }

    /// The event as JSON.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut json = Vec::with_capacity(USUAL_SIZE);
        serde_json::to_writer(&mut json, self)?;
        Ok(json)
    }

    /// The event as JSON, appended to what is in the buffer.
    pub fn encode_into(&self, buffer: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(buffer, self)
    }

    /// Reads an event and checks that what it says is possible.
    pub fn decode(json: &[u8]) -> Result<Self, DecodeError> {
        decode::decode(json)
    }
}
