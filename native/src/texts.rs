//! Values as the texts that Python writes for them.

use std::fmt::Write;

/// The text of a number that Python writes in the same way; none for one of which that is not certain.
///
/// An integer beyond 64 bits comes as a float too, and so does "-0", which to Python is an integer; these are outside.
pub fn text_of_float(number: f64) -> Option<String> {
    let size = number.abs();
    let is_plain = (1e-4..1e15).contains(&size) || (number == 0.0 && number.is_sign_positive());
    if !is_plain {
        return None;
    }
    let text = format!("{number:?}");
    (!is_between_texts(number, &text)).then_some(text)
}

/// Enough to write every number from 1e-4 on exactly.
const EXACT_DECIMALS: usize = 70;
/// No number of so few digits lies between two texts that are equally short.
const CERTAIN_DIGITS: usize = 15;

/// Whether a number lies exactly between two texts that are equally short: Rust takes the upper one, Python the even one.
fn is_between_texts(number: f64, text: &str) -> bool {
    if text.len() <= CERTAIN_DIGITS {
        return false;
    }
    let decimals = text.find('.').map_or(0, |at| text.len() - at - 1);
    let exact = format!("{number:.EXACT_DECIMALS$}");
    let rest = &exact[exact.len() - EXACT_DECIMALS + decimals..];
    rest.trim_end_matches('0') == "5"
}

pub fn text_of_bool(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Push the digits of an integer.
pub fn push_integer(text: &mut String, number: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{number}");
}
