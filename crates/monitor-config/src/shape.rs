//! What a field of a settings struct expects, found by asking the struct itself.
//!
//! envy reports a bad number as the standard library's "invalid digit found in string". To say
//! instead what was expected, the struct is deserialised from a probe that holds one field and
//! answers the first question about its value with an error that carries the question.

use std::fmt;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// What a field asks of its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// `true` or `false`.
    Bool,
    /// A whole number within bounds.
    Integer { min: i128, max: i128 },
    /// A number that may have a fraction.
    Number,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Anything that is judged by the field's own type.
    Text,
}

impl Shape {
    /// Finds what `field` of `S` asks for.
    pub(crate) fn of<S: DeserializeOwned>(field: &str) -> Self {
        match S::deserialize(StructProbe { field }) {
            Err(Answer::Shape(shape)) => shape,
            Ok(_) | Err(Answer::Fields(_) | Answer::Other) => Self::Text,
        }
    }

    /// Says what was expected of `value`, or nothing where `value` has this shape and must have
    /// been refused for another reason.
    pub(crate) fn expected(&self, value: &str) -> Option<String> {
        match self {
            Self::Bool => value
                .parse::<bool>()
                .is_err()
                .then(|| "expected true or false".into()),
            Self::Integer { min, max } => expected_integer(*min, *max, value),
            Self::Number => value
                .parse::<f64>()
                .is_err()
                .then(|| "expected a number".into()),
            Self::Choice(words) => Some(format!("expected one of {}", words.join(", "))),
            Self::Text => None,
        }
    }
}

fn expected_integer(min: i128, max: i128, value: &str) -> Option<String> {
    match value.parse::<i128>() {
        Ok(number) if (min..=max).contains(&number) => None,
        Ok(_) => Some(format!("expected a whole number from {min} to {max}")),
        Err(_) => Some("expected a whole number".into()),
    }
}

/// The names of the fields of `S`, when it is a struct.
pub(crate) fn fields<S: DeserializeOwned>() -> &'static [&'static str] {
    match S::deserialize(FieldsProbe) {
        Err(Answer::Fields(fields)) => fields,
        Ok(_) | Err(Answer::Shape(_) | Answer::Other) => &[],
    }
}

/// The "error" that carries the answer out of a deserialisation.
#[derive(Debug)]
enum Answer {
    Shape(Shape),
    Fields(&'static [&'static str]),
    Other,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shape of a field was asked for")
    }
}

impl std::error::Error for Answer {}

impl de::Error for Answer {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self::Other
    }
}

struct FieldsProbe;

impl<'de> Deserializer<'de> for FieldsProbe {
    type Error = Answer;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Answer> {
        Err(Answer::Other)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Answer> {
        Err(Answer::Fields(fields))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct StructProbe<'a> {
    field: &'a str,
}

impl<'de> Deserializer<'de> for StructProbe<'_> {
    type Error = Answer;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        let key = StrDeserializer::new(self.field);
        visitor.visit_map(MapDeserializer::new(std::iter::once((key, ValueProbe))))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct ValueProbe;

impl de::IntoDeserializer<'_, Answer> for ValueProbe {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! answer_with_bounds {
    ($($method:ident => $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Answer> {
            let (min, max) = (i128::from(<$type>::MIN), i128::from(<$type>::MAX));
            Err(Answer::Shape(Shape::Integer { min, max }))
        }
    )*};
}

macro_rules! answer_with {
    ($($method:ident => $shape:expr,)*) => {$(
        fn $method<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Answer> {
            Err(Answer::Shape($shape))
        }
    )*};
}

impl<'de> Deserializer<'de> for ValueProbe {
    type Error = Answer;

    answer_with_bounds! {
        deserialize_i8 => i8,
        deserialize_i16 => i16,
        deserialize_i32 => i32,
        deserialize_i64 => i64,
        deserialize_u8 => u8,
        deserialize_u16 => u16,
        deserialize_u32 => u32,
        deserialize_u64 => u64,
    }

    answer_with! {
        deserialize_any => Shape::Text,
        deserialize_bool => Shape::Bool,
        deserialize_f32 => Shape::Number,
        deserialize_f64 => Shape::Number,
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Answer> {
        Err(Answer::Shape(Shape::Choice(variants)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Answer> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Answer> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}
