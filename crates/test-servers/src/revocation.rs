//! What authorities say about certificates that they have issued.

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber,
    SigningKey as _, date_time_ymd,
};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use x509_parser::parse_x509_certificate;
use x509_parser::time::ASN1Time;
use yasna::models::{GeneralizedTime, ObjectIdentifier};
use yasna::{DERWriter, Tag, construct_der};

use crate::{Authority, Identity};

const OCSP_BASIC: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 1, 1];
const SHA1: &[u64] = &[1, 3, 14, 3, 2, 26];
const ECDSA_WITH_SHA256: &[u64] = &[1, 2, 840, 10045, 4, 3, 2];

/// What an authority says about a certificate when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// It is good.
    Good,
    /// It was revoked.
    Revoked,
    /// The authority does not know it.
    Unknown,
}

/// An answer of an authority about one certificate.
#[derive(Clone, Copy, Debug)]
pub struct OcspAnswer {
    /// What it says.
    pub status: CertificateStatus,
    /// From when this holds, in seconds since 1970.
    pub from: i64,
    /// Until when, if the answer tells.
    pub until: Option<i64>,
}

/// The key that signs an answer.
#[derive(Clone, Copy)]
pub enum Signer<'a> {
    /// That of an authority.
    Authority(&'a Authority),
    /// That of a certificate, which goes along.
    Responder(&'a Identity),
}

/// A certificate, as one that signs names it.
struct Named {
    serial: Vec<u8>,
    subject: Vec<u8>,
    key: Vec<u8>,
}

impl Named {
    /// Reads the first certificate of a PEM text.
    fn read(pem: &str) -> anyhow::Result<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).context("our own PEM")?;
        let (_, read) = parse_x509_certificate(&der)?;
        Ok(Self {
            serial: read.raw_serial().to_vec(),
            subject: read.subject().as_raw().to_vec(),
            key: read.public_key().subject_public_key.data.to_vec(),
        })
    }
}

impl Authority {
    /// A list that revokes the first certificate of each of these PEM texts, also in PEM.
    pub fn revocation_list(&self, revoked: &[&str]) -> anyhow::Result<String> {
        self.revocation_list_of(2024, revoked)
    }

    /// One that was made in this year.
    pub fn revocation_list_of(&self, year: i32, revoked: &[&str]) -> anyhow::Result<String> {
        let entry = |pem: &&str| {
            anyhow::Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&Named::read(pem)?.serial),
                revocation_time: date_time_ymd(2022, 1, 1),
                reason_code: None,
                invalidity_date: None,
            })
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(year, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from_slice(&year.to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect::<Result<_, _>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }
}

impl Identity {
    /// The number of its certificate, in upper-case hexadecimal.
    pub fn serial(&self) -> anyhow::Result<String> {
        let serial = Named::read(&self.chain)?.serial;
        let digits: Vec<_> = serial.iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(digits.concat())
    }
}

impl OcspAnswer {
    /// The answer about `leaf` that `authority` has issued, as it is sent.
    pub fn about(
        &self,
        leaf: &Identity,
        authority: &Authority,
        signer: Signer<'_>,
    ) -> anyhow::Result<Vec<u8>> {
        let (leaf, issuer) = (Named::read(&leaf.chain)?, Named::read(authority.pem())?);
        let data = construct_der(|writer| self.write_data(writer, &leaf, &issuer));
        let (signature, certificate) = match signer {
            Signer::Authority(authority) => (authority.issuer.key().sign(&data)?, None),
            Signer::Responder(responder) => {
                let key = KeyPair::from_pem(&responder.key)?;
                (key.sign(&data)?, Some(responder.der()?))
            }
        };
        let basic = construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_der(&data);
                write_algorithm(writer.next(), ECDSA_WITH_SHA256, false);
                let bits = 8 * signature.len();
                writer.next().write_bitvec_bytes(&signature, bits);
                if let Some(certificate) = certificate {
                    writer.next().write_tagged(Tag::context(0), |writer| {
                        writer.write_sequence(|writer| writer.next().write_der(&certificate));
                    });
                }
            });
        });
        Ok(construct_der(|writer| write_response(writer, &basic)))
    }

    fn write_data(self, writer: DERWriter<'_>, leaf: &Named, issuer: &Named) {
        writer.write_sequence(|writer| {
            let responder = writer.next();
            responder.write_tagged(Tag::context(1), |writer| writer.write_der(&issuer.subject));
            write_time(writer.next(), self.from);
            let answers = writer.next();
            answers.write_sequence(|writer| self.write_answer(writer.next(), leaf, issuer));
        });
    }

    fn write_answer(self, writer: DERWriter<'_>, leaf: &Named, issuer: &Named) {
        writer.write_sequence(|writer| {
            writer.next().write_sequence(|writer| {
                write_algorithm(writer.next(), SHA1, true);
                writer.next().write_bytes(&sha1(&issuer.subject));
                writer.next().write_bytes(&sha1(&issuer.key));
                writer.next().write_bigint_bytes(&leaf.serial, true);
            });
            self.write_status(writer.next());
            write_time(writer.next(), self.from);
            if let Some(until) = self.until {
                let writer = writer.next();
                writer.write_tagged(Tag::context(0), |writer| write_time(writer, until));
            }
        });
    }

    fn write_status(self, writer: DERWriter<'_>) {
        match self.status {
            CertificateStatus::Good => {
                writer.write_tagged_implicit(Tag::context(0), |writer| {
                    writer.write_null();
                });
            }
            CertificateStatus::Revoked => {
                writer.write_tagged_implicit(Tag::context(1), |writer| {
                    writer.write_sequence(|writer| write_time(writer.next(), self.from));
                });
            }
            CertificateStatus::Unknown => {
                writer.write_tagged_implicit(Tag::context(2), |writer| {
                    writer.write_null();
                });
            }
        }
    }
}

fn write_response(writer: DERWriter<'_>, basic: &[u8]) {
    writer.write_sequence(|writer| {
        writer.next().write_enum(0);
        writer.next().write_tagged(Tag::context(0), |writer| {
            writer.write_sequence(|writer| {
                let kind = ObjectIdentifier::from_slice(OCSP_BASIC);
                writer.next().write_oid(&kind);
                writer.next().write_bytes(basic);
            });
        });
    });
}

fn write_algorithm(writer: DERWriter<'_>, name: &[u64], null: bool) {
    writer.write_sequence(|writer| {
        writer.next().write_oid(&ObjectIdentifier::from_slice(name));
        if null {
            writer.next().write_null();
        }
    });
}

fn write_time(writer: DERWriter<'_>, seconds: i64) {
    let time = ASN1Time::from_timestamp(seconds).map(|time| time.to_datetime());
    let time = time.unwrap_or_else(|_| date_time_ymd(1970, 1, 1));
    writer.write_generalized_time(&GeneralizedTime::from_datetime(time));
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}
