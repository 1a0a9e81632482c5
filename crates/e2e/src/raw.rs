//! Messages as no client library would send them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::Utc;

/// `Produce`, in the oldest version that brokers still know.
const PRODUCE: [u8; 4] = [0, 0, 0, 3];
/// In an answer of one topic with one partition: what comes before and after the topic's name, up to
/// the error code.
const BEFORE_NAME: usize = 4 + 4 + 2;
const BEFORE_ERROR: usize = 4 + 4;

/// Appends a message to partition 0 of a topic, with headers of whatever bytes, by speaking to its
/// leader without encryption. Returns once it has been appended.
pub fn append(
    broker: &str,
    topic: &str,
    value: &[u8],
    headers: &[(&[u8], &[u8])],
) -> anyhow::Result<()> {
    let batch = batch(&record(value, headers));
    let mut request = PRODUCE.to_vec();
    request.extend(7_i32.to_be_bytes());
    request.extend(string("test"));
    // No transaction, all replicas, ten seconds, one topic.
    request.extend((-1_i16).to_be_bytes());
    request.extend((-1_i16).to_be_bytes());
    request.extend(10_000_i32.to_be_bytes());
    request.extend(1_i32.to_be_bytes());
    request.extend(string(topic));
    // One partition, the first.
    request.extend(1_i32.to_be_bytes());
    request.extend(0_i32.to_be_bytes());
    request.extend(sized(&batch));

    let mut stream = TcpStream::connect(broker).context("cannot reach the broker")?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(&sized(&request))?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let mut answer = vec![0; usize::try_from(i32::from_be_bytes(size))?];
    stream.read_exact(&mut answer)?;
    let error = BEFORE_NAME + topic.len() + BEFORE_ERROR;
    let error = answer.get(error..error + 2).context("no error code")?;
    ensure!(error == [0, 0], "the broker refused it with {error:?}");
    Ok(())
}

fn record(value: &[u8], headers: &[(&[u8], &[u8])]) -> Vec<u8> {
    // No attributes, at the time and the offset of the batch, no key.
    let mut record = vec![0, 0, 0];
    record.extend(varint(-1));
    record.extend(counted(value));
    record.extend(varint(headers.len()));
    for (name, value) in headers {
        record.extend(counted(name));
        record.extend(counted(value));
    }
    counted(&record)
}

fn batch(record: &[u8]) -> Vec<u8> {
    let now = Utc::now().timestamp_millis().to_be_bytes();
    // Neither compressed nor of a transaction; one record, from nobody known.
    let mut body = vec![0; 6];
    body.extend(now);
    body.extend(now);
    body.extend([0xff; 14]);
    body.extend(1_i32.to_be_bytes());
    body.extend(record);
    // Of no epoch, and in the second format.
    let mut rest = vec![0xff, 0xff, 0xff, 0xff, 2];
    rest.extend(crc32c(&body).to_be_bytes());
    rest.extend(body);
    let mut batch = vec![0; 8];
    batch.extend(sized(&rest));
    batch
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&size.to_be_bytes(), bytes].concat()
}

fn string(text: &str) -> Vec<u8> {
    let size = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [&size.to_be_bytes(), text.as_bytes()].concat()
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    [&varint(bytes.len())[..], bytes].concat()
}

/// A number as records have them: seven bits a byte, the lowest first, the sign lowest of all.
fn varint(number: impl TryInto<i64>) -> Vec<u8> {
    let number = number.try_into().unwrap_or(i64::MAX);
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push(0x80 | (rest & 0x7f) as u8);
        rest >>= 7;
    }
    bytes.push((rest & 0x7f) as u8);
    bytes
}

/// Castagnoli's check sum, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1));
    let rest = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    });
    !rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_that_of_the_standard() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
