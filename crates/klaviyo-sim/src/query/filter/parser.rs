//! Reads the text of a filter, without knowing which fields there are.

use std::iter::Peekable;
use std::str::Chars;

/// A condition as it is written.
pub(super) struct RawCondition {
    pub(super) operator: String,
    pub(super) field: String,
    pub(super) value: RawValue,
}

/// A value as it is written.
pub(super) enum RawValue {
    Quoted(String),
    Bare(String),
    List(Vec<RawValue>),
}

/// The conditions of a filter as they are written.
pub(super) fn parse(text: &str) -> Result<Vec<RawCondition>, &'static str> {
    Parser(text.chars().peekable()).conditions()
}

/// Reads the text. An error is the end of the sentence that begins with "Invalid filter provided:".
struct Parser<'a>(Peekable<Chars<'a>>);

impl Parser<'_> {
    fn conditions(mut self) -> Result<Vec<RawCondition>, &'static str> {
        let mut conditions = vec![self.condition()?];
        self.skip_whitespace();
        while self.0.peek().is_some() {
            self.expect(',', "conditions are separated by commas")?;
            conditions.push(self.condition()?);
            self.skip_whitespace();
        }
        Ok(conditions)
    }

    fn condition(&mut self) -> Result<RawCondition, &'static str> {
        let operator = self
            .until("(")
            .ok_or("an operator is followed by a bracket")?;
        self.expect('(', "an operator is followed by a bracket")?;
        let field = self.until(",)").ok_or("a field is followed by a value")?;
        self.expect(',', "a field is followed by a value")?;
        let value = self.value(")")?;
        self.expect(')', "a condition ends with a bracket")?;
        Ok(RawCondition {
            operator: operator.trim().to_owned(),
            field: field.trim().to_owned(),
            value,
        })
    }

    fn value(&mut self, ends: &str) -> Result<RawValue, &'static str> {
        self.skip_whitespace();
        match self.0.peek() {
            Some('[') => self.list(),
            Some(&quote @ ('"' | '\'')) => self.quoted(quote),
            _ => {
                let text = self.until(ends).ok_or("a value does not end")?;
                Ok(RawValue::Bare(text.trim().to_owned()))
            }
        }
    }

    fn list(&mut self) -> Result<RawValue, &'static str> {
        self.expect('[', "a list begins with a bracket")?;
        let mut values = Vec::new();
        loop {
            self.skip_whitespace();
            if values.is_empty() && self.0.next_if_eq(&']').is_some() {
                return Ok(RawValue::List(values));
            }
            values.push(self.value(",]")?);
            self.skip_whitespace();
            match self.0.next() {
                Some(',') => {}
                Some(']') => return Ok(RawValue::List(values)),
                _ => return Err("a list does not end"),
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<RawValue, &'static str> {
        self.0.next();
        let mut text = String::new();
        loop {
            match self.0.next().ok_or("a quoted text does not end")? {
                end if end == quote => break,
                '\\' => text.push(self.0.next().ok_or("a quoted text does not end")?),
                other => text.push(other),
            }
        }
        self.skip_whitespace();
        Ok(RawValue::Quoted(text))
    }

    /// Everything before one of the ends, which stays; `None` if there is none.
    fn until(&mut self, ends: &str) -> Option<String> {
        let mut text = String::new();
        loop {
            if ends.contains(*self.0.peek()?) {
                return Some(text);
            }
            text.extend(self.0.next());
        }
    }

    fn expect(&mut self, what: char, or: &'static str) -> Result<(), &'static str> {
        self.0.next_if_eq(&what).map(drop).ok_or(or)
    }

    fn skip_whitespace(&mut self) {
        while self.0.next_if(|c| c.is_whitespace()).is_some() {}
    }
}
