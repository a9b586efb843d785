//! A record's JSON in one pass: its values in order, and its keys as a walk through the tree of shapes.

use std::borrow::Cow;
use std::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

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
    let mut json = serde_json::Deserializer::from_str(text);
    let mut walk = Walk { node: Shapes::ROOT, shapes, values };
    (&mut json).deserialize_map(Object { walk: &mut walk, is_inner: false }).ok()?;
    let node = walk.node;
    json.end().ok()?;
    Some(node)
}

struct Walk<'w, 'a> {
    node: Node,
    shapes: &'w mut Shapes,
    values: &'w mut Vec<Value<'a>>,
}

impl Walk<'_, '_> {
    fn go<E: Error>(&mut self, next: Option<Node>) -> Result<(), E> {
        self.node = next.ok_or_else(not_plain)?;
        Ok(())
    }
}

/// Reading ends, and the record is left to Python.
fn not_plain<E: Error>() -> E {
    E::custom("")
}

struct Object<'s, 'w, 'a> {
    walk: &'s mut Walk<'w, 'a>,
    is_inner: bool,
}

impl<'a> Visitor<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, _: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Key { walk: self.walk })?.is_some() {
            map.next_value_seed(Member { walk: self.walk, is_inner: self.is_inner })?;
        }
        Ok(())
    }
}

struct Key<'s, 'w, 'a> {
    walk: &'s mut Walk<'w, 'a>,
}

impl<'a> DeserializeSeed<'a> for Key<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, _: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        let next = self.walk.shapes.key(self.walk.node, key);
        self.walk.go(next)
    }
}

struct Member<'s, 'w, 'a> {
    walk: &'s mut Walk<'w, 'a>,
    is_inner: bool,
}

impl<'a> Member<'_, '_, 'a> {
    fn push<E>(self, value: Value<'a>) -> Result<(), E> {
        self.walk.values.push(value);
        Ok(())
    }
}

impl<'a> DeserializeSeed<'a> for Member<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Member<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, _: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.push(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.push(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.push(Value::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.push(i64::try_from(value).map_or(Value::Large(value), Value::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.push(Value::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'a str) -> Result<(), E> {
        self.push(Value::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.push(Value::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        let mut json = String::new();
        push_list(&mut json, &mut items, MOST_DEEP)?;
        self.push(Value::List(json))
    }

    fn visit_map<A: MapAccess<'a>>(self, map: A) -> Result<(), A::Error> {
        if self.is_inner {
            return Err(not_plain());
        }
        let opened = self.walk.shapes.opening(self.walk.node);
        self.walk.go(opened)?;
        Object { walk: self.walk, is_inner: true }.visit_map(map)?;
        let closed = self.walk.shapes.closing(self.walk.node);
        self.walk.go(closed)
    }
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
