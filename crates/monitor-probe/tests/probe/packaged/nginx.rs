//! nginx.

use std::fs;

use local_stack::{Process, Program, ReservedPort};
use monitor_core::{FailureKind, Outcome};
use monitor_probe::Report;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_servers::{Authority, ClosedPort, Leaf};

use super::{executable, start};
use crate::site::{check, kind};

const CONFIGURATION: &str = include_str!("nginx.conf");

/// Bytes of the file that it serves.
const FILE: usize = 300_000;

/// The ports that it listens on, as the configuration calls them.
const PORTS: [&str; 5] = ["HTTP", "HTTPS", "HTTP2", "PLAIN2", "CLIENTS"];

struct Nginx {
    ports: [u16; 5],
    authority: Authority,
    clients: Authority,
    _process: Process,
    _nobody: ClosedPort,
    _folder: TempDir,
}

impl Nginx {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::root().unwrap();
        let clients = Authority::root_called("clients").unwrap();
        let identity = authority.issue(&Leaf::default()).unwrap();
        for (name, content) in [
            ("server.cert", identity.chain),
            ("server.key", identity.key),
            ("clients.cert", clients.pem().to_owned()),
            ("file", "x".repeat(FILE)),
        ] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let nobody = ClosedPort::new().unwrap();
        let place = folder.path().to_str().unwrap();
        let closed = nobody.address().port().to_string();
        let mut configuration = CONFIGURATION
            .replace("@FOLDER@", place)
            .replace("@NOBODY@", &closed);
        let reserved = PORTS.map(|_| ReservedPort::any().unwrap());
        let ports = reserved.map(ReservedPort::release);
        for (name, port) in PORTS.iter().zip(ports) {
            configuration = configuration.replace(&format!("@{name}@"), &port.to_string());
        }
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let log = folder.path().join("nginx.log");
        let program = Program::new("nginx", executable("nginx"), log).args([
            "-p",
            place,
            "-e",
            "stderr",
            "-c",
            file.to_str().unwrap(),
        ]);
        Self {
            _process: start(&program, &ports),
            ports,
            authority,
            clients,
            _nobody: nobody,
            _folder: folder,
        }
    }

    fn url(&self, name: &str, path: &str) -> String {
        let position = PORTS.iter().position(|known| *known == name).unwrap();
        let scheme = if matches!(name, "HTTP" | "PLAIN2") {
            "http"
        } else {
            "https"
        };
        format!("{scheme}://localhost:{}{path}", self.ports[position])
    }

    async fn check(&self, name: &str, path: &str, rules: Value) -> Report {
        let mut site = rules;
        site["url"] = json!(self.url(name, path));
        site["tls_ca"] = json!(self.authority.pem());
        check(site).await
    }
}

fn version(report: &Report) -> Option<&str> {
    report.http.as_ref()?.version.as_deref()
}

#[tokio::test]
async fn nginx_is_up_in_every_protocol_that_it_speaks() {
    let nginx = Nginx::start();
    for (name, choice, expected) in [
        ("HTTP", "auto", "1.1"),
        ("HTTPS", "auto", "1.1"),
        ("HTTP2", "auto", "2"),
        ("HTTP2", "1.1", "1.1"),
        ("HTTP2", "2", "2"),
        ("PLAIN2", "2", "2"),
    ] {
        let rules = json!({"http_version": choice, "content_regex": "^Welcome"});
        let report = nginx.check(name, "/", rules).await;
        assert_eq!(report.failure, None, "{name} {choice}");
        assert_eq!(version(&report), Some(expected), "{name} {choice}");
    }
}

#[tokio::test]
async fn nginx_compresses_what_we_accept() {
    let nginx = Nginx::start();
    let rules = json!({"expect_headers": {"content-encoding": "^gzip$"}});
    let report = nginx.check("HTTP", "/file", rules).await;
    assert_eq!(report.failure, None);
    assert_eq!(report.http.unwrap().body_bytes, FILE as u64);
}

#[tokio::test]
async fn nginx_answers_a_head_without_a_body() {
    let nginx = Nginx::start();
    for name in ["HTTP", "HTTP2"] {
        let report = nginx.check(name, "/", json!({"method": "HEAD"})).await;
        assert_eq!(report.failure, None, "{name}");
        assert_eq!(report.http.unwrap().body_bytes, 0);
    }
}

#[tokio::test]
async fn nginx_leads_elsewhere_and_is_followed() {
    let nginx = Nginx::start();
    let report = nginx.check("HTTP", "/moved", json!({})).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert_eq!(report.http.unwrap().redirects, 1);
}

#[tokio::test]
async fn the_errors_of_nginx_are_unexpected() {
    let nginx = Nginx::start();
    let large = json!({"method": "POST", "body": "more than ten bytes"});
    for (path, rules, status) in [
        ("/file/nothing", json!({}), 404),
        ("/small", large, 413),
        ("/behind", json!({}), 502),
    ] {
        let report = nginx.check("HTTP", path, rules).await;
        assert_eq!(kind(&report), Some(FailureKind::UnexpectedStatus), "{path}");
        assert_eq!(report.status_code, Some(status), "{path}");
    }
}

#[tokio::test]
async fn nginx_has_several_sites_at_one_address() {
    let nginx = Nginx::start();
    for choice in ["1.1", "2"] {
        let rules = json!({
            "http_version": choice, "headers": {"Host": "other.test"},
            "content_regex": "^Another site",
        });
        let report = nginx.check("HTTP2", "/", rules).await;
        assert_eq!(report.failure, None, "{choice}");
    }
}

#[tokio::test]
async fn nginx_that_is_asked_in_plain_text_where_it_expects_tls_says_so() {
    let nginx = Nginx::start();
    let url = nginx.url("HTTPS", "/").replace("https", "http");
    let report = check(json!({"url": url})).await;
    assert_eq!(report.status_code, Some(400));
}

#[tokio::test]
async fn nginx_lets_in_whom_it_knows() {
    let nginx = Nginx::start();
    let identity = nginx.clients.issue(&Leaf::of_client()).unwrap();
    let known = json!({"tls_client_cert": identity.pem()});
    let report = nginx.check("CLIENTS", "/", known).await;
    assert_eq!(report.outcome, Outcome::Up);
    let report = nginx.check("CLIENTS", "/", json!({})).await;
    assert_eq!(kind(&report), Some(FailureKind::UnexpectedStatus));
    assert_eq!(report.status_code, Some(400));
}
