//! Whether a program runs on the schema of a store.
//!
//! While a deployment lasts, and after one that was taken back, programs run on a schema that is newer than they are.
//! They can, as long as it only has more than they know. What a migration takes away is named in its file, with the
//! programs that no longer miss it:
//!
//! ```sql
//! -- programs: 20261128104101 since this migration no program reads the column.
//! ```
//!
//! Then programs that know the migration of that version run on the schema, and older ones refuse it.

use std::cmp::Ordering;

/// The name under which `meta` holds a [`SchemaMark`].
pub const SCHEMA_MARK: &str = "schema";

/// What a schema says of itself, for programs that do not know all its migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaMark {
    /// The version of its newest migration.
    pub newest: i64,
    /// The oldest programs that run on it: those that know the migration of this version. Zero: any.
    pub oldest_program: i64,
}

/// A schema as a program finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaVersion {
    /// The program's own.
    Ours,
    /// A newer one, on which the program runs.
    Successor,
    /// One that has not all migrations of the program.
    Older,
    /// A newer one, on which the program does not run.
    Newer,
    /// Another program's, or one whose migrations are not as they were.
    Foreign,
}

impl SchemaMark {
    /// The mark of a schema with these migrations: versions, and texts.
    pub fn of<'a>(migrations: impl IntoIterator<Item = (i64, &'a str)>) -> Self {
        let none = Self {
            newest: 0,
            oldest_program: 0,
        };
        migrations
            .into_iter()
            .fold(none, |mark, (version, text)| Self {
                newest: mark.newest.max(version),
                oldest_program: mark.oldest_program.max(named_programs(text).unwrap_or(0)),
            })
    }

    /// The mark as it is stored.
    pub fn to_bytes(self) -> Vec<u8> {
        format!("{} {}", self.newest, self.oldest_program).into_bytes()
    }

    /// The mark that is stored so; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (newest, oldest_program) = str::from_utf8(bytes).ok()?.split_once(' ')?;
        Some(Self {
            newest: newest.parse().ok()?,
            oldest_program: oldest_program.parse().ok()?,
        })
    }
}

/// The version in a migration's line `-- programs: VERSION WHY`.
fn named_programs(text: &str) -> Option<i64> {
    let mut lines = text.lines();
    let named = lines.find_map(|line| line.strip_prefix("-- programs: "))?;
    named.split_whitespace().next()?.parse().ok()
}

/// Compares the migrations that were applied with the program's own: their versions and the checksums of their
/// texts, each in order. `mark` is what the store holds.
pub fn compare_schema(
    ours: &[(i64, &[u8])],
    applied: &[(i64, Vec<u8>)],
    mark: Option<SchemaMark>,
) -> SchemaVersion {
    let newest = ours.last().map_or(0, |(version, _)| *version);
    let (mut missing, mut more) = (0, applied.len());
    for (version, checksum) in ours {
        match applied.iter().find(|(applied, _)| applied == version) {
            Some((_, applied)) if applied == checksum => more -= 1,
            Some(_) => return SchemaVersion::Foreign,
            None => missing += 1,
        }
    }
    let latest = applied.last().map_or(0, |(version, _)| *version);
    let newer = applied.iter().filter(|(version, _)| *version > newest);
    match (missing, more.cmp(&newer.count())) {
        (0, Ordering::Equal) if more == 0 => SchemaVersion::Ours,
        (0, Ordering::Equal) => match mark {
            Some(mark) if latest <= mark.newest && mark.oldest_program <= newest => {
                SchemaVersion::Successor
            }
            _ => SchemaVersion::Newer,
        },
        (1.., Ordering::Equal) if more == 0 => SchemaVersion::Older,
        _ => SchemaVersion::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [(i64, &[u8]); 3] = [(10, b"a"), (20, b"b"), (30, b"c")];

    fn applied(migrations: &[(i64, &str)]) -> Vec<(i64, Vec<u8>)> {
        let migrations = migrations.iter();
        migrations
            .map(|(version, checksum)| (*version, checksum.as_bytes().to_vec()))
            .collect()
    }

    #[track_caller]
    fn check(more: &[(i64, &str)], mark: Option<(i64, i64)>, want: SchemaVersion) {
        let applied = [applied(&[(10, "a"), (20, "b"), (30, "c")]), applied(more)].concat();
        let mark = mark.map(|(newest, oldest_program)| SchemaMark {
            newest,
            oldest_program,
        });
        assert_eq!(
            compare_schema(&OURS, &applied, mark),
            want,
            "{more:?} {mark:?}"
        );
    }

    #[test]
    fn a_newer_schema_is_accepted_where_it_says_so_itself() {
        check(&[], None, SchemaVersion::Ours);
        check(&[], Some((30, 0)), SchemaVersion::Ours);
        check(&[(40, "d")], Some((40, 0)), SchemaVersion::Successor);
        check(&[(40, "d")], Some((40, 30)), SchemaVersion::Successor);
        check(
            &[(40, "d"), (50, "e")],
            Some((50, 20)),
            SchemaVersion::Successor,
        );
        check(&[(40, "d")], Some((40, 40)), SchemaVersion::Newer);
        check(&[(40, "d")], None, SchemaVersion::Newer);
        // The mark is of the schema before.
        check(&[(40, "d")], Some((30, 0)), SchemaVersion::Newer);
        // The mark is there, and the migrations are on their way.
        check(&[(40, "d")], Some((50, 0)), SchemaVersion::Successor);
    }

    #[test]
    fn older_and_foreign_schemas_are_never_accepted() {
        let mark = Some(SchemaMark {
            newest: 90,
            oldest_program: 0,
        });
        for (migrations, want) in [
            (&[][..], SchemaVersion::Older),
            (&[(10, "a"), (20, "b")], SchemaVersion::Older),
            // A migration that landed with an earlier number than others.
            (&[(10, "a"), (30, "c")], SchemaVersion::Older),
            (&[(10, "x"), (20, "b"), (30, "c")], SchemaVersion::Foreign),
            (
                &[(10, "a"), (15, "x"), (20, "b"), (30, "c")],
                SchemaVersion::Foreign,
            ),
            (&[(10, "a"), (40, "d")], SchemaVersion::Foreign),
        ] {
            let found = compare_schema(&OURS, &applied(migrations), mark);
            assert_eq!(found, want, "{migrations:?}");
        }
    }

    #[test]
    fn a_mark_has_the_newest_migration_and_the_oldest_programs() {
        let mark = SchemaMark::of([
            (10, "-- What it is for.\nCREATE TABLE a (b text);"),
            (
                20,
                "-- What it is for.\n--\n-- programs: 10 nobody reads a.b any more\nALTER TABLE a DROP b;",
            ),
            (
                30,
                "-- More of it.\nINSERT INTO a VALUES ('\n-- programs of old');",
            ),
        ]);
        assert_eq!((mark.newest, mark.oldest_program), (30, 10));
        assert_eq!(SchemaMark::from_bytes(&mark.to_bytes()), Some(mark));
        for other in ["", "30", "30 x", "30 10 5"] {
            assert_eq!(SchemaMark::from_bytes(other.as_bytes()), None, "{other}");
        }
    }
}
