//! nginx with one worker: what is checked, and what counts the checks.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::{Control, Process, Program, ReservedPort, Signal, StopStep, find_service};
use nix::unistd::Uid;
use test_servers::Identity;

use crate::get::get;
use crate::silence;

const START_LIMIT: Duration = Duration::from_secs(10);
const STATUS: &str = "/status";

/// A running nginx.
#[derive(Debug)]
pub(crate) struct Nginx {
    http: u16,
    https: u16,
    status: u16,
    _process: Process,
}

impl Nginx {
    /// Starts it with its files in `folder`.
    pub(crate) fn start(folder: &Path, identity: &Identity, control: &Control) -> Result<Self> {
        let executable = find_service("nginx").context("nginx is not installed")?;
        let ports = [
            ReservedPort::any()?,
            ReservedPort::any()?,
            ReservedPort::any()?,
        ];
        let [http, https, status] = ports.map(ReservedPort::release);
        fs::create_dir_all(folder)?;
        fs::write(folder.join("target.pem"), &identity.chain)?;
        fs::write(folder.join("target.key"), &identity.key)?;
        let silent = silence::listen()?;
        let text = configuration(folder, [http, https, status, silent]);
        let file = folder.join("nginx.conf");
        fs::write(&file, text)?;
        let program = Program::new("nginx", executable, folder.join("nginx.log"))
            .args(["-e", "stderr", "-c"])
            .args([&file])
            .stop_with([StopStep::new(Signal::SIGTERM, Duration::from_secs(5))]);
        let mut process = Process::start(&program)?;
        process.wait_until_ready(control, START_LIMIT, |_| get(status, STATUS).ok())?;
        Ok(Self {
            http,
            https,
            status,
            _process: process,
        })
    }

    /// A page that is answered at once.
    pub(crate) fn url(&self, scheme: Scheme) -> String {
        self.at(scheme, "")
    }

    /// A page that is never answered.
    pub(crate) fn silent_url(&self, scheme: Scheme) -> String {
        self.at(scheme, "silent")
    }

    fn at(&self, scheme: Scheme, path: &str) -> String {
        match scheme {
            Scheme::Http => format!("http://127.0.0.1:{}/{path}", self.http),
            Scheme::Https => format!("https://127.0.0.1:{}/{path}", self.https),
        }
    }

    /// Requests that it has seen so far, this question included.
    pub(crate) fn requests(&self) -> Result<u64> {
        let text = get(self.status, STATUS)?;
        requests(&text).with_context(|| format!("cannot understand {text:?}"))
    }
}

/// How a site is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) const BOTH: [Self; 2] = [Self::Http, Self::Https];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

fn configuration(folder: &Path, [http, https, status, silent]: [u16; 4]) -> String {
    let folder = folder.display();
    let user = if Uid::effective().is_root() {
        "user root;"
    } else {
        ""
    };
    let pages = format!(
        "location / {{ return 200 \"ok\\n\"; }}
    location /silent {{ proxy_pass http://127.0.0.1:{silent}; proxy_read_timeout 1h; }}"
    );
    format!(
        "daemon off; worker_processes 1; worker_rlimit_nofile 16384; {user}
pid {folder}/nginx.pid;
events {{ worker_connections 16000; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{http} backlog=4096;
    {pages}
  }}
  server {{
    listen 127.0.0.1:{https} ssl backlog=4096;
    ssl_certificate {folder}/target.pem;
    ssl_certificate_key {folder}/target.key;
    ssl_protocols TLSv1.3;
    {pages}
  }}
  server {{
    listen 127.0.0.1:{status};
    location {STATUS} {{ stub_status; }}
  }}
}}
"
    )
}

/// The third number of the line below `server accepts handled requests`.
fn requests(stub_status: &str) -> Option<u64> {
    let mut lines = stub_status.lines();
    lines.find(|line| line.contains("requests"))?;
    lines.next()?.split_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_from_stub_status() {
        let text = "Active connections: 1 \n\
                    server accepts handled requests\n 31 30 1234 \n\
                    Reading: 0 Writing: 1 Waiting: 0 \n";
        assert_eq!(requests(text), Some(1234));
        assert_eq!(requests("<html>"), None);
    }
}
