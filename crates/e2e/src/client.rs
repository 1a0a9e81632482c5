//! A client of the API, and of whatever else speaks HTTP.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::service::{Binary, Service};
use crate::world::World;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// The API as a running program, and somebody who asks it.
pub struct Api {
    /// The program.
    pub service: Service,
    /// Who asks.
    pub client: Client,
}

impl Api {
    /// Starts it on a free port, and waits until it answers.
    pub async fn start(world: &World, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let service = world.start_with(Binary::Api, variables)?;
        service.logs("listening\",\"api.address").await?;
        service.is_ready().await?;
        let address = service.logged("api.address").context("no address")?;
        Ok(Self {
            service,
            client: Client::new(address),
        })
    }
}

/// Somebody who asks, each time on a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    /// Where.
    pub address: String,
    /// Sent with every request.
    pub token: Option<String>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Client {
    /// Somebody without a token.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            token: None,
        }
    }

    /// The same with a token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// What a `GET` is answered with.
    pub async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// The JSON that a `GET` is answered with, if it succeeds.
    pub async fn json(&self, path: &str) -> anyhow::Result<Value> {
        let reply = self.get(path).await?;
        ensure!(reply.status == StatusCode::OK, "{path}: {reply:?}");
        reply.json()
    }

    /// What a request with a JSON body is answered with.
    pub async fn send_json(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Reply> {
        let headers = [(CONTENT_TYPE.as_str(), "application/json")];
        self.send(method, path, &headers, body.to_string().into())
            .await
    }

    /// What any request is answered with.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<Reply> {
        let whole = async {
            let (_connection, response) = self.open(method, path, headers, body).await?;
            let (head, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Reply {
                status: head.status,
                headers: head.headers,
                body,
            })
        };
        timeout(PATIENCE, whole)
            .await
            .with_context(|| format!("{path}: no answer"))?
    }

    /// A response whose body is still to be read. It ends with the connection.
    pub async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<(Connection, Response<Incoming>)> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| HOST == *name) {
            request = request.header(HOST, &self.address);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let stream = TcpStream::connect(&self.address).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        let response = sender.send_request(request.body(Full::new(body))?).await?;
        Ok((
            Connection {
                _tasks: tasks,
                _sender: sender,
            },
            response,
        ))
    }
}

/// What a response comes through.
pub struct Connection {
    _tasks: JoinSet<hyper::Result<()>>,
    _sender: SendRequest<Full<Bytes>>,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {self:?}"))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text; nothing when it is missing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// The problem of that kind and status that it has to be.
    pub fn problem(&self, status: u16, kind: &str) -> anyhow::Result<Value> {
        let problem = self.json()?;
        let expected = format!("urn:aiven-monitor:problem:{kind}");
        let is_so = self.status.as_u16() == status
            && self.header("content-type") == "application/problem+json"
            && problem["type"] == *expected
            && problem["status"] == status
            && problem["instance"] == format!("urn:request:{}", self.header("x-request-id"));
        if !is_so {
            bail!("expected {status} {kind}: {self:?}");
        }
        Ok(problem)
    }
}
