//! Which bucket a value is in: the borders as whole numbers, found without logarithms.

/// How many powers of gamma it takes to cover every `u32`.
const POWERS: usize = 456;

/// `HIGHEST[k]` is the largest whole number that is at most gamma to the power of `k`.
///
/// Computed in fixed point with 64 binary places, when this is compiled. What rounding loses stays
/// below a hundred-millionth, and no power comes that close to a whole number: a test compares
/// every entry with exact arithmetic.
static HIGHEST: [u32; POWERS] = highest();

/// The bucket of the first value of each cell: the cells of a power of two are sixteen of equal
/// width, so that none has more than two borders inside.
static FIRST_OF_CELL: [u16; CELLS] = first_of_cells();

const CELL_BITS: u32 = 4;
const CELLS: usize = 33 << CELL_BITS;

/// The last power: the bucket of the largest values.
pub(super) const LAST: usize = POWERS - 1;

/// The smallest `k` such that `value` is at most gamma to the power of `k`. `value` is not zero.
pub(super) fn power_of(value: u32) -> usize {
    let mut power = usize::from(FIRST_OF_CELL[cell_of(value)]);
    while HIGHEST[power] < value {
        power += 1;
    }
    power
}

/// The smallest and the largest whole number in the bucket of that power. Of some of the first
/// buckets the smallest exceeds the largest: they are too narrow to hold any.
pub(super) fn range_of(power: usize) -> (u32, u32) {
    let below = power.checked_sub(1).map_or(0, |below| HIGHEST[below]);
    (below.saturating_add(1), HIGHEST[power])
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a power beyond u32::MAX is cut to it before"
)]
const fn highest() -> [u32; POWERS] {
    let mut borders = [0; POWERS];
    let mut power: u128 = 1 << 64;
    let mut k = 0;
    while k < POWERS {
        let whole = power >> 64;
        borders[k] = if whole > u32::MAX as u128 {
            u32::MAX
        } else {
            whole as u32
        };
        power = power * 21 / 20;
        k += 1;
    }
    borders
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "there are fewer than 65 536 powers"
)]
const fn first_of_cells() -> [u16; CELLS] {
    let borders = highest();
    let mut firsts = [0; CELLS];
    let (mut cell, mut power) = (0, 0);
    while cell < CELLS {
        let start = start_of(cell);
        while power < LAST && (borders[power] as u64) < start {
            power += 1;
        }
        firsts[cell] = power as u16;
        cell += 1;
    }
    firsts
}

/// Values below sixteen have a cell each; above, the cell is the position of the highest bit and
/// the four bits after it.
fn cell_of(value: u32) -> usize {
    let bits = u32::BITS - value.leading_zeros();
    let shift = bits.saturating_sub(CELL_BITS + 1);
    let mantissa = value >> shift;
    ((shift << CELL_BITS) + mantissa) as usize
}

/// The smallest value of a cell.
const fn start_of(cell: usize) -> u64 {
    let width = 1 << CELL_BITS;
    if cell < 2 * width {
        return cell as u64;
    }
    let shift = cell / width - 1;
    ((cell - shift * width) as u64) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A whole number of any size, the lowest 32 bits first.
    fn times(number: &[u32], factor: u32) -> Vec<u32> {
        let mut product = Vec::new();
        let mut carry = 0_u64;
        for digit in number {
            let sum = u64::from(*digit) * u64::from(factor) + carry;
            product.push(u32::try_from(sum & 0xffff_ffff).unwrap());
            carry = sum >> 32;
        }
        product.push(u32::try_from(carry).unwrap());
        while product.last() == Some(&0) {
            product.pop();
        }
        product
    }

    fn at_most(a: &[u32], b: &[u32]) -> bool {
        let key = |number: &[u32]| {
            (
                number.len(),
                number.iter().rev().copied().collect::<Vec<_>>(),
            )
        };
        key(a) <= key(b)
    }

    #[test]
    fn every_border_is_the_exact_power_of_21_20ths_rounded_down() {
        let (mut numerator, mut denominator) = (vec![1], vec![1]);
        for (power, highest) in HIGHEST.iter().enumerate() {
            let is_last = power == LAST;
            assert!(
                at_most(&times(&denominator, *highest), &numerator),
                "{power}"
            );
            if !is_last {
                let next = times(&denominator, highest + 1);
                assert!(!at_most(&next, &numerator), "{power}");
            }
            numerator = times(&numerator, 21);
            denominator = times(&denominator, 20);
        }
        assert_eq!(HIGHEST[LAST], u32::MAX);
        assert!(HIGHEST[LAST - 1] < u32::MAX);
    }

    #[test]
    fn every_border_is_the_last_value_of_its_bucket() {
        let by_search = |value| HIGHEST.partition_point(|highest| *highest < value);
        for highest in HIGHEST {
            for value in [highest - 1, highest, highest.saturating_add(1)] {
                if value > 0 {
                    assert_eq!(power_of(value), by_search(value), "{value}");
                }
            }
        }
        for value in 1..100_000 {
            assert_eq!(power_of(value), by_search(value), "{value}");
        }
    }

    #[test]
    fn the_range_of_a_bucket_holds_its_values() {
        for value in (1..u32::MAX).step_by(99_991) {
            let (low, high) = range_of(power_of(value));
            assert!(low <= value && value <= high, "{low} {value} {high}");
        }
    }
}
