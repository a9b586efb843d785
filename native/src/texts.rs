//! Values as the texts that Python writes for them.

use std::fmt::Write;

/// The text of a number that Python writes in the same way; none for one of which that is not certain.
///
/// An integer beyond 64 bits comes as a float too, and so does "-0", which to Python is an integer; these are outside.
pub fn text_of_float(number: f64) -> Option<String> {
    let size = number.abs();
    let is_plain = (1e-4..1e15).contains(&size) || (number == 0.0 && number.is_sign_positive());
    is_plain.then(|| format!("{number:?}"))
}

pub fn text_of_bool(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Push the digits of an integer.
pub fn push_integer(text: &mut String, number: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{number}");
}
