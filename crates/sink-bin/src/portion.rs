//! How many events are stored at once. Pure.

/// Halves when the database is too slow for what it was given, and doubles again while it is not.
#[derive(Debug)]
pub(crate) struct Portion {
    most: usize,
    size: usize,
}

impl Portion {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, size: most }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// So many were too many.
    pub(crate) fn shrink(&mut self, events: usize) {
        self.size = self.size.min((events / 2).max(1));
    }

    /// So many got through.
    pub(crate) fn grow(&mut self, events: usize) {
        if events == self.size {
            self.size = self.most.min(self.size * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_halves_down_to_one_and_doubles_up_to_the_most() {
        let mut portion = Portion::new(5);
        for (events, size) in [(5, 2), (2, 1), (1, 1)] {
            portion.shrink(events);
            assert_eq!(portion.size(), size);
        }
        for (events, size) in [(1, 2), (1, 2), (2, 4), (4, 5), (5, 5)] {
            portion.grow(events);
            assert_eq!(portion.size(), size);
        }
    }
}
