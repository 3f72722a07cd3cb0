//! What Klaviyo refuses because of its content.

/// One thing that Klaviyo found wrong. It holds nothing of the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRefusal {
    /// Which row of the request, from 0; `None` if it is the only one or Klaviyo names none.
    pub row: Option<usize>,
    /// Klaviyo's name of the field, such as `phone_number`, if it names one.
    pub field: Option<String>,
    /// Klaviyo's code, such as `invalid`.
    pub code: String,
}

/// A request that Klaviyo refused for its content, so that nothing of it was done. Sent again, it is refused again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRefusal {
    /// The status of the answer: 400, 413 or 422.
    pub status: u16,
    /// What was wrong, in Klaviyo's order.
    pub rows: Vec<RowRefusal>,
}

impl ContentRefusal {
    /// Whether the phone number is what was refused: it may be a number of a region without SMS, and the rest
    /// of the profile can be sent without it.
    pub fn is_about(&self, field: &str) -> bool {
        !self.rows.is_empty()
            && self
                .rows
                .iter()
                .all(|row| row.field.as_deref() == Some(field))
    }
}

impl std::fmt::Display for ContentRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "status {}", self.status)?;
        for row in self.rows.iter().take(3) {
            write!(f, ", {}", row.code)?;
            if let Some(field) = &row.field {
                write!(f, " at {field}")?;
            }
            if let Some(number) = row.row {
                write!(f, " of row {number}")?;
            }
        }
        Ok(())
    }
}
