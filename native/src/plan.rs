//! What the values of all objects with the same keys become, as `app/formats/plain_plan.py` has worked it out.

use pyo3::prelude::*;

use crate::record::Value;

/// Where a value goes.
pub enum Target {
    /// The attribute of this name.
    Attribute(Box<str>),
    /// The column of texts with this number.
    Text(usize),
    Time,
    /// The column of numbers.
    Number,
}

/// What a value must be, or the record is left to Python. The numbers are those of `Rule` in `plain_plan.py`.
#[derive(Clone, Copy)]
pub struct Rules(u32);

impl Rules {
    /// A text that is not blank.
    pub const MESSAGE: u32 = 1;
    /// A level: a word, or what Python knows the severity of.
    pub const LEVEL: u32 = 2;
    /// Not a text with a slash.
    pub const NO_SLASH: u32 = 4;
    pub const NOT_NULL: u32 = 8;
    /// A number, or a text that is not blank.
    pub const ONE_VALUE: u32 = 16;
    /// A time of the last decades.
    pub const MOMENT: u32 = 32;

    pub fn are_none(self) -> bool {
        self.0 == 0
    }

    pub fn has(self, rule: u32) -> bool {
        self.0 & rule != 0
    }
}

pub struct Leaf {
    pub target: Target,
    pub rules: Rules,
}

pub struct Plan {
    /// In the order of the values.
    pub leaves: Vec<Leaf>,
    /// Of the names of all attributes.
    pub name_bytes: usize,
    pub levels: Levels,
}

const ATTRIBUTE: i32 = -1;
const TIME: i32 = -2;
const NUMBER: i32 = -3;

impl Plan {
    /// The plan that Python made: `leaves` are tuples of target, name and rules.
    pub fn of(plan: &Bound<'_, PyAny>) -> PyResult<Self> {
        let leaves: Vec<(i32, String, u32)> = plan.getattr("leaves")?.extract()?;
        Ok(Self {
            name_bytes: leaves.iter().map(|(_, name, _)| name.len()).sum(),
            leaves: leaves.into_iter().map(|(target, name, rules)| Leaf::of(target, name, rules)).collect(),
            levels: Levels { text_of: plan.getattr("level_text")?.unbind(), known: Vec::new() },
        })
    }
}

impl Leaf {
    fn of(target: i32, name: String, rules: u32) -> Self {
        let target = match target {
            ATTRIBUTE => Target::Attribute(name.into()),
            TIME => Target::Time,
            NUMBER => Target::Number,
            column => Target::Text(column as usize),
        };
        Self { target, rules: Rules(rules) }
    }
}

/// The texts that are stored for levels which are no words: a logger uses few of them, and Python is asked once.
pub struct Levels {
    text_of: Py<PyAny>,
    known: Vec<(Level, Option<Box<str>>)>,
}

#[derive(PartialEq)]
enum Level {
    Number(i64),
    Text(Box<str>),
}

const MOST_LEVELS: usize = 64;
const LONGEST_LEVEL: usize = 12;

impl Levels {
    /// The text that is stored for a level; none if it leaves the object not plain.
    pub fn text(&mut self, value: &Value) -> PyResult<Option<&str>> {
        let Some(place) = self.known.iter().position(|(level, _)| level.is(value)) else {
            return self.learn(value);
        };
        Ok(self.known[place].1.as_deref())
    }

    fn learn(&mut self, value: &Value) -> PyResult<Option<&str>> {
        let level = match value {
            Value::Integer(number) => Level::Number(*number),
            Value::Text(text) if text.len() <= LONGEST_LEVEL => Level::Text(text.as_ref().into()),
            _ => return Ok(None),
        };
        if self.known.len() >= MOST_LEVELS {
            return Ok(None);
        }
        let found: Option<String> = Python::attach(|py| match &level {
            Level::Number(number) => self.text_of.call1(py, (*number,))?.extract(py),
            Level::Text(text) => self.text_of.call1(py, (&**text,))?.extract(py),
        })?;
        self.known.push((level, found.map(Into::into)));
        Ok(self.known[self.known.len() - 1].1.as_deref())
    }
}

impl Level {
    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Number(number), Value::Integer(other)) => number == other,
            (Self::Text(text), Value::Text(other)) => **text == **other,
            _ => false,
        }
    }
}
