//! The values of one object as a row.

use pyo3::prelude::*;

use crate::columns::{Rows, Texts};
use crate::plan::{Levels, Plan, Rules, Target};
use crate::record::Value;
use crate::texts::{push_integer, text_of_bool, text_of_float};
use crate::times::{Times, time_of};

/// Add a row of these values, unless Python has to read the record: then nothing is added, and it returns false.
pub fn push(rows: &mut Rows, plan: &mut Plan, values: &[Value], record: &Record, times: &Times) -> PyResult<bool> {
    // A number can be written longer than it was: 1e14 has 17 characters.
    let has_room = rows.have_room(8 * record.bytes, plan.name_bytes);
    let row = if has_room { Row::of(rows, plan, values)? } else { None };
    let time_ns = row.as_ref().and_then(|row| times.of_row(row.time_ns, record.time_ms));
    match (row, time_ns) {
        (Some(row), Some(time_ns)) => rows.end(time_ns, row.number),
        _ => {
            rows.undo();
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is known of a record besides its value.
pub struct Record {
    pub bytes: usize,
    pub time_ms: i64,
}

/// The parts of a row that are not texts.
#[derive(Default)]
struct Row {
    time_ns: Option<i64>,
    number: Option<f32>,
}

impl Row {
    fn of(rows: &mut Rows, plan: &mut Plan, values: &[Value]) -> PyResult<Option<Self>> {
        let mut row = Self::default();
        let Plan { leaves, levels, .. } = plan;
        for (leaf, value) in leaves.iter().zip(values) {
            if !is_allowed(value, leaf.rules) {
                return Ok(None);
            }
            let is_taken = match &leaf.target {
                Target::Text(column) if leaf.rules.has(Rules::LEVEL) => {
                    push_level(&mut rows.texts[*column], levels, value)?
                }
                Target::Text(column) => push_field(&mut rows.texts[*column], value),
                Target::Attribute(name) => push_attribute(rows, name, value),
                Target::Time => row.take_time(value, leaf.rules),
                Target::Number => row.take_number(value),
            };
            if !is_taken {
                return Ok(None);
            }
        }
        Ok(Some(row))
    }

    fn take_time(&mut self, value: &Value, rules: Rules) -> bool {
        const EARLIEST_NS: i64 = 1_000_000_000_000_000_000; // as in app/formats/json_times.py
        self.time_ns = time_of(value);
        match self.time_ns {
            Some(time_ns) => time_ns >= EARLIEST_NS || !rules.has(Rules::MOMENT),
            None => matches!(value, Value::Null) && !rules.has(Rules::MOMENT),
        }
    }

    fn take_number(&mut self, value: &Value) -> bool {
        const MOST_EXACT: u64 = 1 << 53;
        self.number = match value {
            Value::Integer(number) if number.unsigned_abs() <= MOST_EXACT => Some(*number as f32),
            Value::Float(number) => Some(*number as f32 + 0.0), // "-0", an integer to Python, comes as -0.0
            Value::Null => None,
            _ => return false,
        };
        self.number.is_none_or(f32::is_finite)
    }
}

fn is_allowed(value: &Value, rules: Rules) -> bool {
    rules.are_none()
        || ((!rules.has(Rules::MESSAGE) || is_filled_text(value))
            && (!rules.has(Rules::ONE_VALUE) || is_filled_text(value) || is_number(value))
            && (!rules.has(Rules::NO_SLASH) || !matches!(value, Value::Text(text) if text.contains('/')))
            && (!rules.has(Rules::NOT_NULL) || !matches!(value, Value::Null)))
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Integer(_) | Value::Large(_) | Value::Float(_) | Value::Bool(_))
}

fn is_filled_text(value: &Value) -> bool {
    matches!(value, Value::Text(text) if has_a_sign(text))
}

/// Whether a text is surely not blank: what else is a blank, Python knows.
fn has_a_sign(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_graphic()) || text.chars().any(char::is_alphanumeric)
}

fn push_level(texts: &mut Texts, levels: &mut Levels, value: &Value) -> PyResult<bool> {
    let text = match value {
        Value::Text(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic()) => Some(&**text),
        _ => levels.text(value)?,
    };
    Ok(text.map(|text| texts.push(text)).is_some())
}

fn push_field(texts: &mut Texts, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(_) => false,
        _ => push_text(texts, value),
    }
}

fn push_attribute(rows: &mut Rows, name: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        _ => rows.attributes.push(name, |texts| push_text(texts, value)),
    }
}

fn push_text(texts: &mut Texts, value: &Value) -> bool {
    match value {
        Value::Null => return false,
        Value::Text(text) => texts.push(text),
        Value::List(json) => texts.push(json),
        Value::Bool(value) => texts.push(text_of_bool(*value)),
        Value::Integer(number) => texts.push(&integer(number)),
        Value::Large(number) => texts.push(&integer(number)),
        Value::Float(number) => return text_of_float(*number).map(|text| texts.push(&text)).is_some(),
    }
    true
}

fn integer(number: impl std::fmt::Display) -> String {
    let mut text = String::new();
    push_integer(&mut text, number);
    text
}
