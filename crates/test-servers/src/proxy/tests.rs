use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::*;

/// Long enough for anything on the loopback interface; waited out only where nothing may come.
const SILENCE: Duration = Duration::from_millis(200);

/// A server that says everything back, and the proxy in front of it.
fn echo() -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut answers = stream.try_clone().unwrap();
                // Ends with its client, however that is.
                std::io::copy(&mut &stream, &mut answers).ok();
                answers.shutdown(Shutdown::Write).ok();
            });
        }
    });
    Proxy::start(Some(upstream)).unwrap()
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// What comes back.
fn say(stream: &mut TcpStream, text: &str) -> std::io::Result<String> {
    stream.write_all(text.as_bytes())?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer)?;
    Ok(String::from_utf8(answer).unwrap())
}

fn assert_reset<T: std::fmt::Debug>(result: std::io::Result<T>) {
    let kind = result.unwrap_err().kind();
    assert!(
        matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "{kind}"
    );
}

fn assert_silent(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let kind = say(stream, "anybody?").unwrap_err().kind();
    assert!(
        matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{kind}"
    );
}

#[test]
fn what_flows_is_passed_on_and_counted() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    assert_eq!(say(&mut stream, "hello").unwrap(), "hello");
    assert_eq!(proxy.connections(), 1);
    assert_eq!((proxy.bytes_requested(), proxy.bytes_answered()), (5, 5));
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn delay_and_limit_lose_nothing() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    for traffic in [
        Traffic::Delayed(Duration::from_millis(10)),
        Traffic::Limited(10_000),
    ] {
        proxy.set(traffic);
        let text = "x".repeat(2_000);
        assert_eq!(say(&mut stream, &text).unwrap(), text);
    }
}

#[test]
fn a_delay_takes_its_time() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    proxy.set(Traffic::Delayed(Duration::from_mins(10)));
    assert_silent(&mut stream);
}

#[test]
fn a_limit_is_kept() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    proxy.set(Traffic::Limited(100));
    stream.write_all(&[b'x'; 1_000]).unwrap();
    stream.read_exact(&mut [0; 10]).unwrap();
    assert!(proxy.bytes_answered() < 1_000);
}

#[test]
fn answers_are_cut_after_so_many_bytes_while_requests_go_through() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    assert_eq!(say(&mut stream, "before").unwrap(), "before");
    proxy.set(Traffic::AnswersCutAfter(8));
    assert_eq!(say(&mut stream, "12345").unwrap(), "12345");
    assert_reset(say(&mut stream, "67890"));
    assert_eq!((proxy.bytes_requested(), proxy.bytes_answered()), (16, 14));
    assert_eq!(say(&mut connect(&proxy), "again").unwrap(), "again");
}

#[test]
fn requests_are_cut_after_so_many_bytes() {
    let proxy = echo();
    proxy.set(Traffic::RequestsCutAfter(3));
    let mut stream = connect(&proxy);
    stream.write_all(b"hello").unwrap();
    assert_reset(stream.read_to_end(&mut Vec::new()));
    assert_eq!(proxy.bytes_requested(), 3);
}

#[test]
fn open_connections_are_reset_on_demand() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    say(&mut stream, "hello").unwrap();
    proxy.reset();
    assert_reset(stream.read(&mut [0]));
    assert_eq!(say(&mut connect(&proxy), "again").unwrap(), "again");
}

#[test]
fn what_is_swallowed_stays_silent_for_ever() {
    let proxy = echo();
    let mut before = connect(&proxy);
    say(&mut before, "hello").unwrap();
    proxy.set(Traffic::Swallowed);
    let mut meanwhile = connect(&proxy);
    assert_silent(&mut before);
    assert_silent(&mut meanwhile);
    proxy.set(Traffic::Flows);
    assert_silent(&mut before);
    assert_silent(&mut meanwhile);
    assert_eq!(say(&mut connect(&proxy), "again").unwrap(), "again");
}

#[test]
fn an_end_is_swallowed_as_well() {
    let (upstream, proxy) = (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        Proxy::start(None).unwrap(),
    );
    proxy.lead_to(upstream.local_addr().unwrap());
    let client = connect(&proxy);
    let mut server = upstream.accept().unwrap().0;
    proxy.set(Traffic::Swallowed);
    drop(client);
    server.set_read_timeout(Some(SILENCE)).unwrap();
    server.read(&mut [0]).unwrap_err();
}

#[test]
fn refused_connections_come_back_on_the_same_port() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    say(&mut stream, "hello").unwrap();
    proxy.set(Traffic::Refused);
    assert_reset(stream.read(&mut [0]));
    // Open connections are reset before the port is closed.
    let mut tries = std::iter::repeat_with(|| TcpStream::connect(proxy.address()));
    let refused = tries.find_map(Result::err).unwrap();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    proxy.set(Traffic::Flows);
    let again = std::iter::repeat_with(|| TcpStream::connect(proxy.address()));
    let mut stream = again.flatten().next().unwrap();
    assert_eq!(say(&mut stream, "again").unwrap(), "again");
}

#[test]
fn it_leads_where_it_is_told() {
    let (first, second) = (echo(), echo());
    let proxy = Proxy::start(None).unwrap();
    assert_reset(say(&mut connect(&proxy), "nobody"));
    for target in [&first, &second] {
        proxy.lead_to(target.address());
        assert_eq!(say(&mut connect(&proxy), "hello").unwrap(), "hello");
        assert_eq!(target.connections(), 1);
    }
}
