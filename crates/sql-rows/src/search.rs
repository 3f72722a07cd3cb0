//! Rows of the index of searches.

/// The block in which a gram's list of a section is, if it is anywhere.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct GramRow {
    pub section: String,
    pub gram: i64,
    pub lists: Option<Vec<u8>>,
}

/// A row of `search_places`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct PlacesRow {
    pub section: String,
    pub number: i64,
    /// A JSON array.
    pub ids: String,
}
