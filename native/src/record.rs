//! A record's JSON in one pass: its values in order, and its keys as a walk through the tree of shapes.
//!
//! Objects, and the values that nearly all events have, are read here, for which a general reader takes twice as long;
//! it reads the others: texts with escapes, long numbers, lists.

use std::borrow::Cow;
use std::fmt;

use serde_core::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use crate::scan::{Short, end_of_text};
use crate::shapes::{Node, Shapes};
use crate::texts::{push_integer, text_of_bool, text_of_float};

/// A value of an event, objects aside.
pub enum Value<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// Of 64 bits, and too large for the other.
    Large(u64),
    Float(f64),
    Text(Cow<'a, str>),
    /// A list, as its JSON.
    List(String),
}

/// The node at the end of the object's keys, and its values in order; none if it is no object that could be plain.
pub fn read<'a>(text: &'a str, shapes: &mut Shapes, values: &mut Vec<Value<'a>>) -> Option<Node> {
    let mut walk = Walk { text, at: 0, node: Shapes::ROOT, shapes, values };
    walk.object(false)?;
    walk.peek().is_none().then_some(walk.node)
}

struct Walk<'w, 'a> {
    text: &'a str,
    /// Up to where it is read.
    at: usize,
    node: Node,
    shapes: &'w mut Shapes,
    values: &'w mut Vec<Value<'a>>,
}

impl<'a> Walk<'_, 'a> {
    fn object(&mut self, is_inner: bool) -> Option<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            return self.take(b'}');
        }
        loop {
            self.key()?;
            self.member(is_inner)?;
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.peek()?;
        if let Some((next, length)) = self.shapes.usual(self.node, &self.text[self.at..]) {
            self.node = next;
            self.at += length;
            return Some(());
        }
        let key = self.text()?;
        self.node = self.shapes.key(self.node, &key)?;
        self.take(b':')
    }

    /// Each kind of value is pushed where it is read: to return them costs a tenth of the time.
    fn member(&mut self, is_inner: bool) -> Option<()> {
        match self.peek()? {
            b'"' => {
                let text = self.text()?;
                self.values.push(Value::Text(text));
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true", Value::Bool(true))?,
            b'f' => self.word("false", Value::Bool(false))?,
            b'n' => self.word("null", Value::Null)?,
            b'[' => self.other()?,
            b'{' if !is_inner => {
                self.node = self.shapes.opening(self.node)?;
                self.object(true)?;
                self.node = self.shapes.closing(self.node)?;
            }
            _ => return None,
        }
        Some(())
    }

    /// The next byte behind blanks.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(*bytes.get(self.at)?, b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        Some(bytes[self.at])
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Option<()> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return None;
        }
        self.at += word.len();
        self.values.push(value);
        Some(())
    }

    fn text(&mut self) -> Option<Cow<'a, str>> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        if let Some(length) = end_of_text(&self.text.as_bytes()[start..]) {
            self.at = start + length + 1;
            return Some(Cow::Borrowed(&self.text[start..start + length]));
        }
        match self.by_general_reader()? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        let Some(number) = Short::of(&self.text.as_bytes()[self.at..]) else {
            return self.other();
        };
        self.at += number.length;
        self.values.push(if number.decimals == 0 {
            Value::Integer(number.digits)
        } else {
            Value::Float(number.float())
        });
        Some(())
    }

    fn other(&mut self) -> Option<()> {
        let value = self.by_general_reader()?;
        self.values.push(value);
        Some(())
    }

    /// A value that is no object.
    fn by_general_reader(&mut self) -> Option<Value<'a>> {
        let mut others = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter::<Other>();
        let Other(value) = others.next()?.ok()?;
        self.at += others.byte_offset();
        Some(value)
    }
}

/// A value that the general reader has read.
struct Other<'a>(Value<'a>);

impl<'de> Deserialize<'de> for Other<'_> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(OtherVisitor).map(Self)
    }
}

struct OtherVisitor;

impl<'de> Visitor<'de> for OtherVisitor {
    type Value = Value<'static>;

    fn expecting(&self, _: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Value::Large(value), Value::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut json = String::new();
        push_list(&mut json, &mut items, MOST_DEEP)?;
        Ok(Value::List(json))
    }
}

/// Reading ends, and the record is left to Python.
fn not_plain<E: Error>() -> E {
    E::custom("")
}

/// How deep lists may be in lists; deeper ones are left to Python.
const MOST_DEEP: usize = 8;

/// Push a list as Python writes it: as JSON without blanks.
fn push_list<'a, A: SeqAccess<'a>>(json: &mut String, items: &mut A, depth: usize) -> Result<(), A::Error> {
    json.push('[');
    let mut is_first = true;
    while items.next_element_seed(Item { json, is_first, depth })?.is_some() {
        is_first = false;
    }
    json.push(']');
    Ok(())
}

struct Item<'s> {
    json: &'s mut String,
    is_first: bool,
    depth: usize,
}

impl Item<'_> {
    fn push(&mut self, written: &str) {
        if !self.is_first {
            self.json.push(',');
        }
        self.json.push_str(written);
    }
}

impl<'a> DeserializeSeed<'a> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Item<'_> {
    type Value = ();

    fn expecting(&self, _: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }

    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        self.push("null");
        Ok(())
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<(), E> {
        self.push(text_of_bool(value));
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, value: i64) -> Result<(), E> {
        self.push("");
        push_integer(self.json, value);
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, value: u64) -> Result<(), E> {
        self.push("");
        push_integer(self.json, value);
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<(), E> {
        self.push(&text_of_float(value).ok_or_else(not_plain)?);
        Ok(())
    }

    fn visit_str<E: Error>(mut self, value: &str) -> Result<(), E> {
        if value.bytes().any(needs_escape) {
            return Err(not_plain());
        }
        self.push("\"");
        self.json.push_str(value);
        self.json.push('"');
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut items: A) -> Result<(), A::Error> {
        let depth = self.depth.checked_sub(1).ok_or_else(not_plain)?;
        self.push("");
        push_list(self.json, &mut items, depth)
    }
}

/// Whether JSON has another form of a byte of a text, of which there may be several.
fn needs_escape(byte: u8) -> bool {
    matches!(byte, 0..0x20 | b'"' | b'\\' | 0x7f)
}
