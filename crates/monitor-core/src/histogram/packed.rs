//! Histograms as they are stored: three bytes for each bucket that is not empty.
//!
//! Of the three, the first nine bits say the bucket, counted from −1, and the other fifteen how many
//! durations it holds. A bucket that holds more than they can say has several entries.

use super::{BUCKETS, Bucket, Histogram, InvalidHistogram};

/// Bytes of an entry.
const ENTRY: usize = 3;
const COUNT_BITS: u32 = 15;
/// The most that one entry can count.
const MOST: u64 = (1 << COUNT_BITS) - 1;

const _: () = assert!(BUCKETS <= 1 << (8 * ENTRY - COUNT_BITS as usize));

impl Histogram {
    /// Appends it to `bytes` as it is stored, in ascending order of the buckets.
    pub fn pack(&self, bytes: &mut Vec<u8>) {
        for (bucket, mut count) in self.sparse() {
            while count > 0 {
                let part = count.min(MOST);
                let [.., high, middle, low] =
                    ((bucket.index() as u64) << COUNT_BITS | part).to_be_bytes();
                bytes.extend_from_slice(&[high, middle, low]);
                count -= part;
            }
        }
    }

    /// Adds a histogram as it is stored. Nothing is added when the bytes are not one.
    pub fn merge_packed(&mut self, bytes: &[u8]) -> Result<(), InvalidHistogram> {
        let (entries, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(InvalidHistogram::Length(bytes.len()));
        }
        for packed in entries {
            entry(*packed)?;
        }
        for (index, count) in entries.iter().flat_map(|packed| entry(*packed)) {
            self.add_at(index, count);
        }
        Ok(())
    }
}

/// The index and the count of an entry.
fn entry([high, middle, low]: [u8; ENTRY]) -> Result<(usize, u64), InvalidHistogram> {
    let bits = u32::from_be_bytes([0, high, middle, low]);
    let index = (bits >> COUNT_BITS) as usize;
    let count = u64::from(bits) & MOST;
    match (index, count) {
        (BUCKETS.., _) => Err(InvalidHistogram::Bucket(Bucket::at(index).number())),
        (_, 0) => Err(InvalidHistogram::Empty(Bucket::at(index).number())),
        entry => Ok(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(histogram: &Histogram) -> Vec<u8> {
        let mut bytes = Vec::new();
        histogram.pack(&mut bytes);
        bytes
    }

    #[test]
    fn an_entry_is_nine_bits_of_bucket_and_fifteen_of_count() {
        let mut histogram = Histogram::default();
        for micros in [0, 0, u32::MAX] {
            histogram.record(micros);
        }
        let last = (456_u32 << 15 | 1).to_be_bytes();
        assert_eq!(packed(&histogram), [&[0, 0, 2], &last[1..]].concat());
    }

    #[test]
    fn a_full_bucket_takes_several_entries() {
        let mut histogram = Histogram::default();
        for _ in 0..=2 * MOST {
            histogram.record(0);
        }
        let bytes = packed(&histogram);
        assert_eq!(bytes, [0, 0x7f, 0xff, 0, 0x7f, 0xff, 0, 0, 1]);
        let mut read = Histogram::default();
        read.merge_packed(&bytes).unwrap();
        assert_eq!(read, histogram);
    }

    #[test]
    fn what_is_no_histogram_is_refused_as_a_whole() {
        let mut histogram = Histogram::default();
        histogram.record(5);
        for (bytes, reason) in [
            (vec![0, 0, 1, 0], InvalidHistogram::Length(4)),
            (vec![0, 0, 1, 0xe4, 0x80, 1], InvalidHistogram::Bucket(456)),
            (vec![0, 0, 1, 0, 0x80, 0], InvalidHistogram::Empty(0)),
        ] {
            assert_eq!(histogram.merge_packed(&bytes), Err(reason));
            assert_eq!(histogram.count(), 1, "{reason}");
        }
    }
}
