//! The targets as a client sees them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use local_stack::{Control, Process, Program};

/// Stops the targets when dropped.
struct Targets {
    _process: Process,
    ports: BTreeMap<String, u16>,
}

fn start(folder: &Path) -> Targets {
    let file = folder.join("ports");
    let executable = env!("CARGO_BIN_EXE_demo-targets");
    let log = folder.join("targets.log");
    let program = Program::new("demo targets", executable, log).args([&file]);
    let started = fs::metadata(&file).and_then(|file| file.modified()).ok();
    let mut process = Process::start(&program).unwrap();
    process
        .wait_until_ready(&Control::default(), Duration::from_secs(10), |_| {
            let written = fs::metadata(&file).and_then(|file| file.modified()).ok()?;
            (Some(written) != started).then_some(())
        })
        .unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let entry = |line: &str| {
        let (name, port) = line.split_once('=').unwrap();
        (name.to_owned(), port.parse().unwrap())
    };
    Targets {
        _process: process,
        ports: text.lines().map(entry).collect(),
    }
}

impl Targets {
    fn get(&self, name: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.ports[name])).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn status(&self, name: &str) -> String {
        let answer = self.get(name, "/");
        answer.split(' ').nth(1).unwrap().to_owned()
    }
}

#[test]
fn every_target_behaves_as_its_name_says() {
    let folder = tempfile::tempdir().unwrap();
    let targets = start(folder.path());
    assert!(targets.get("healthy", "/").contains("Everything is fine."));
    assert_eq!(targets.status("wrong_status"), "404");
    assert!(
        targets
            .get("wrong_content", "/")
            .contains("Closed for maintenance.")
    );
    assert!(targets.get("redirect", "/").contains("Location: /here"));
    assert!(targets.get("redirect", "/here").starts_with("HTTP/1.1 200"));
    let flaky: Vec<_> = (0..6).map(|_| targets.status("flaky")).collect();
    assert_eq!(flaky, ["200", "200", "503", "200", "200", "503"]);
    let refused = TcpStream::connect(("127.0.0.1", targets.ports["refused"]));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(TcpStream::connect(("127.0.0.1", targets.ports["broken_tls"])).is_ok());
}

#[test]
fn the_next_run_has_the_same_ports() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path()).ports;
    assert_eq!(start(folder.path()).ports, first);
}
