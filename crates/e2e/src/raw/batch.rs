//! Messages in the form in which brokers keep them.

use chrono::Utc;

use super::sized;

/// A batch of one message without a key, with headers of whatever bytes.
pub(super) fn of(value: &[u8], headers: &[(&[u8], &[u8])]) -> Vec<u8> {
    batch(&record(value, headers))
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
