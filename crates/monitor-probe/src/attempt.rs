//! One attempt: all hops, from the name to the verdict.

use std::time::Instant;

use http::{Response, Version};
use hyper::body::Incoming;
use monitor_core::site::HttpVersion;
use monitor_core::{FailureKind, Phase, SiteConfig};
use tokio::net::TcpStream;
use url::Url;

use crate::assertion::{judge_body, judge_head, needs_body};
use crate::body::{self, Body};
use crate::connect::connect;
use crate::dns::{Silence, candidates, is_name, resolve};
use crate::exchange::{Connection, exchange};
use crate::failure::Failed;
use crate::observation::{Observation, micros_since};
use crate::prober::Prober;
use crate::redirect::Hop;
use crate::tls::handshake;

/// Bodies from this size on are judged on a thread that may block.
const LARGE_BODY: usize = 64 * 1024;

/// Makes an attempt. Whatever was seen is in `seen`, also when this future is dropped half way.
pub(crate) async fn attempt(
    prober: &Prober,
    url: &Url,
    site: &SiteConfig,
    seen: &mut Observation,
) -> Result<(), Failed> {
    let mut hop = Hop::first(url.clone(), site);
    loop {
        let stream = open(prober, site, &hop, seen).await?;
        let (response, mut connection) = ask(prober, site, &hop, stream, seen).await?;
        let next = match site.redirects {
            0 => None,
            _ => hop.next(response.status(), response.headers())?,
        };
        let Some(next) = next else {
            return judge(site, response, &mut connection, seen).await;
        };
        if seen.redirects() >= site.redirects {
            let detail = format!("more than {} redirects", site.redirects);
            return Err(Failed::new(
                FailureKind::RedirectLimit,
                Phase::FirstByte,
                detail,
            ));
        }
        seen.follow(&next.url);
        hop = next;
    }
}

/// Resolves the host and connects to it.
async fn open(
    prober: &Prober,
    site: &SiteConfig,
    hop: &Hop<'_>,
    seen: &mut Observation,
) -> Result<TcpStream, Failed> {
    seen.phase = Phase::Dns;
    let started = Instant::now();
    seen.dns_silence = Silence::default();
    let silence = &mut seen.dns_silence;
    let addresses = resolve(prober.resolver(), &hop.url, site, silence).await?;
    seen.timings.dns = is_name(&hop.url).then(|| micros_since(started));

    seen.phase = Phase::Connect;
    let port = hop.url.port_or_known_default().unwrap_or(80);
    let candidates = candidates(&addresses, port, site.ip_family, prober.allowed())?;
    seen.remote_addr = candidates.first().copied();
    let started = Instant::now();
    let (stream, address) = connect(&candidates).await?;
    seen.timings.connect = Some(micros_since(started));
    seen.remote_addr = Some(address);
    Ok(stream)
}

/// Makes the handshake where there is one, sends the request, and waits for the response head.
async fn ask(
    prober: &Prober,
    site: &SiteConfig,
    hop: &Hop<'_>,
    stream: TcpStream,
    seen: &mut Observation,
) -> Result<(Response<Incoming>, Connection), Failed> {
    if hop.url.scheme() != "https" {
        let http2 = site.http_version == HttpVersion::Http2;
        return wait_for_head(stream, http2, hop, seen).await;
    }
    seen.phase = Phase::Tls;
    let started = Instant::now();
    let stream = handshake(prober.trust(), site, &hop.url, stream, &seen.tls).await?;
    // A session is large, and every function that it is handed to would have room for all of it.
    let stream = Box::new(stream);
    seen.timings.tls = Some(micros_since(started));
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    if !http2 && site.http_version == HttpVersion::Http2 {
        let detail = "the server does not offer HTTP/2";
        return Err(Failed::new(FailureKind::ProtocolError, Phase::Tls, detail));
    }
    wait_for_head(stream, http2, hop, seen).await
}

async fn wait_for_head<S>(
    stream: S,
    http2: bool,
    hop: &Hop<'_>,
    seen: &mut Observation,
) -> Result<(Response<Incoming>, Connection), Failed>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    // On the heap for the same reason.
    let request = Box::new(hop.request(http2)?);
    seen.phase = Phase::FirstByte;
    let started = Instant::now();
    let (response, connection) = exchange(stream, http2, request).await?;
    seen.timings.first_byte = Some(micros_since(started));
    seen.status_code = Some(response.status().as_u16());
    seen.version = match response.version() {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        _ => None,
    };
    Ok((response, connection))
}

/// Reads the body and judges the whole. The body is read also when no rule asks for it, up to its
/// limit: how long it takes is part of how the site is doing.
async fn judge(
    site: &SiteConfig,
    response: Response<Incoming>,
    connection: &mut Connection,
    seen: &mut Observation,
) -> Result<(), Failed> {
    seen.phase = Phase::Body;
    let started = Instant::now();
    let (head, incoming) = response.into_parts();
    let head_verdict = judge_head(site, head.status.as_u16(), &head.headers);
    let reading = body::read(&head.headers, incoming, site.body_limit);
    let read = connection.drive(reading).await;
    if let Ok(body) = &read {
        seen.timings.transfer = Some(micros_since(started));
        seen.body_bytes = body.bytes.len().try_into().unwrap_or(u64::MAX);
    }
    // That the status is wrong says more than that the body of the error page is broken.
    let body = head_verdict.and(read)?;

    seen.phase = Phase::Assertion;
    if !needs_body(site) {
        return Ok(());
    }
    let (content, verdict) = if body.bytes.len() < LARGE_BODY {
        judge_body(site, &head.headers, &body)
    } else {
        judge_large_body(site.clone(), head.headers, body).await?
    };
    seen.content = content;
    verdict
}

/// Searching cannot be interrupted, so long searches leave the threads that others wait on.
async fn judge_large_body(
    site: SiteConfig,
    headers: http::HeaderMap,
    body: Body,
) -> Result<(monitor_core::event::ContentMatch, Result<(), Failed>), Failed> {
    let judging = tokio::task::spawn_blocking(move || judge_body(&site, &headers, &body));
    judging.await.map_err(|error| {
        let detail = format!("judging the body broke off: {error}");
        Failed::new(FailureKind::CheckerResources, Phase::Assertion, detail)
    })
}
