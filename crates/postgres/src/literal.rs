//! Texts as literals, for statements that take no parameters.

/// A text as a literal, which holds whatever the server is told about backslashes, and inside a `DO $$ … $$`
/// block too.
pub(crate) fn literal(text: &str) -> String {
    // `$` by its number: it must not end the block.
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '\'' => "''".to_owned(),
            '\\' => "\\\\".to_owned(),
            '$' => "\\u0024".to_owned(),
            c => c.to_string(),
        })
        .collect();
    format!("E'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn no_character_ends_a_literal_or_its_block() {
        assert_eq!(literal("org_01J"), "E'org_01J'");
        assert_eq!(literal(r"org_'\--$$;"), r"E'org_''\\--\u0024\u0024;'");
    }
}
