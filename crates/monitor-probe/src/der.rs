//! Walking through DER value by value, for what no parser of ours reads.

use x509_parser::asn1_rs::{Any, Class, FromDer as _, Tag};

/// Values that follow each other, from first to last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a>(&'a [u8]);

/// One value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    class: Class,
    tag: Tag,
    /// What is in it.
    pub(crate) content: &'a [u8],
    /// All of it, with its header.
    pub(crate) whole: &'a [u8],
}

impl<'a> Values<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next value, whatever it is; `None` at the end, and when it is not DER.
    pub(crate) fn any(&mut self) -> Option<Value<'a>> {
        let (rest, value) = Any::from_der(self.0).ok()?;
        let (whole, _) = self.0.split_at_checked(self.0.len() - rest.len())?;
        self.0 = rest;
        Some(Value {
            class: value.class(),
            tag: value.tag(),
            content: value.data,
            whole,
        })
    }

    /// The next value, when it is of this type.
    pub(crate) fn of(&mut self, tag: Tag) -> Option<Value<'a>> {
        self.when(|value| value.class == Class::Universal && value.tag == tag)
    }

    /// The next value, when it has this number in its context.
    pub(crate) fn numbered(&mut self, number: u32) -> Option<Value<'a>> {
        self.when(|value| value.class == Class::ContextSpecific && value.tag == Tag(number))
    }

    /// What is in the next value, when it is a sequence.
    pub(crate) fn sequence(&mut self) -> Option<Self> {
        Some(Self(self.of(Tag::Sequence)?.content))
    }

    /// A value that is of another type is left where it is.
    fn when(&mut self, is_expected: impl Fn(&Value<'a>) -> bool) -> Option<Value<'a>> {
        let mut rest = *self;
        let value = rest.any().filter(is_expected)?;
        *self = rest;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_optional_value_that_is_absent_moves_nothing() {
        let mut values = Values::new(&[0x30, 0x03, 0x02, 0x01, 0x07]);
        assert!(values.numbered(0).is_none());
        let mut inside = values.sequence().unwrap();
        assert!(inside.of(Tag::OctetString).is_none());
        assert_eq!(inside.of(Tag::Integer).unwrap().whole, [0x02, 0x01, 0x07]);
        assert!(inside.any().is_none() && values.any().is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut values = Values::new(&bytes);
            let mut read = 0;
            while let Some(value) = values.any() {
                prop_assert!(value.whole.ends_with(value.content));
                read += value.whole.len();
            }
            prop_assert!(read <= bytes.len());
        }
    }
}
