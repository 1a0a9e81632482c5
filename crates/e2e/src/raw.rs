//! What the client library cannot say to a broker, said by hand and without encryption. Requests are
//! in the oldest versions that brokers still know.

mod batch;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, ensure};

const PRODUCE: (i16, i16) = (0, 3);
const CREATE_ACLS: (i16, i16) = (30, 1);
const DELETE_ACLS: (i16, i16) = (31, 1);

/// In an answer about one partition of one topic: what comes before and after the topic's name, up
/// to the error code.
const BEFORE_NAME: usize = 4 + 4 + 2;
const BEFORE_ERROR: usize = 4 + 4;
/// The same in an answer about rights: the request's number, a time, how many answers follow.
const BEFORE_RIGHTS: usize = 4 + 4 + 4;

/// A resource that is a topic of exactly this name.
const TOPIC: u8 = 2;
const EXACTLY: u8 = 3;
/// Operations, and what is said of them.
const ALL: u8 = 2;
const WRITE: u8 = 4;
const DENY: u8 = 2;
const ALLOW: u8 = 3;
const ANY: u8 = 1;

/// Appends a message without a key to partition 0 of a topic, by its leader, with headers of whatever
/// bytes. Returns once it has been appended. The broker must know the topic.
pub fn append(
    broker: &str,
    topic: &str,
    value: &[u8],
    headers: &[(&[u8], &[u8])],
) -> anyhow::Result<()> {
    // No transaction, all replicas, ten seconds.
    let mut body = [[0xff; 2], [0xff; 2]].concat();
    body.extend(10_000_i32.to_be_bytes());
    body.extend(1_i32.to_be_bytes());
    body.extend(string(topic));
    body.extend(1_i32.to_be_bytes());
    body.extend(0_i32.to_be_bytes());
    body.extend(sized(&batch::of(value, headers)));
    let answer = ask(broker, PRODUCE, &body)?;
    succeeded(&answer, BEFORE_NAME + topic.len() + BEFORE_ERROR)
}

/// Lets nobody write to a topic, while everything else remains allowed. Takes a broker with an
/// authorizer.
pub fn deny_writing(broker: &str, topic: &str) -> anyhow::Result<()> {
    for (operation, permission) in [(ALL, ALLOW), (WRITE, DENY)] {
        let mut body = 1_i32.to_be_bytes().to_vec();
        body.push(TOPIC);
        body.extend(string(topic));
        body.push(EXACTLY);
        body.extend(string("User:*"));
        body.extend(string("*"));
        body.extend([operation, permission]);
        succeeded(&ask(broker, CREATE_ACLS, &body)?, BEFORE_RIGHTS)?;
    }
    Ok(())
}

/// Forgets all rules about a topic.
pub fn forget_rights(broker: &str, topic: &str) -> anyhow::Result<()> {
    let mut body = 1_i32.to_be_bytes().to_vec();
    body.push(TOPIC);
    body.extend(string(topic));
    body.push(EXACTLY);
    // Of any user, from any host.
    body.extend([0xff; 4]);
    body.extend([ANY, ANY]);
    succeeded(&ask(broker, DELETE_ACLS, &body)?, BEFORE_RIGHTS)
}

/// Sends one request; the answer to it.
fn ask(broker: &str, (key, version): (i16, i16), body: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut request = [key.to_be_bytes(), version.to_be_bytes()].concat();
    request.extend(7_i32.to_be_bytes());
    request.extend(string("test"));
    request.extend(body);
    let mut stream = TcpStream::connect(broker).context("cannot reach the broker")?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(&sized(&request))?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let mut answer = vec![0; usize::try_from(i32::from_be_bytes(size))?];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

fn succeeded(answer: &[u8], at: usize) -> anyhow::Result<()> {
    let error = answer.get(at..at + 2).context("no error code")?;
    ensure!(error == [0, 0], "the broker refused it with {error:?}");
    Ok(())
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&size.to_be_bytes(), bytes].concat()
}

fn string(text: &str) -> Vec<u8> {
    let size = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [&size.to_be_bytes(), text.as_bytes()].concat()
}
