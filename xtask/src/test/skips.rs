//! Skipped tests, read from the runners' reports.

/// A test that did not run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Skip {
    pub(super) test: String,
    pub(super) why: String,
    /// The runner counted it as passed: it returned early.
    pub(super) counts_as_passed: bool,
}

/// What a test prints before it returns early.
const MARK: &str = "skipped: ";

/// Why a program that has ended well did nothing.
pub(super) fn from_output(output: &str) -> Option<&str> {
    output.lines().find_map(|line| line.strip_prefix(MARK))
}

/// The skips in a JUnit report that holds the output of passing tests.
pub(super) fn from_junit(report: &str) -> Vec<Skip> {
    let mut skips = Vec::new();
    for case in report.split("<testcase ").skip(1) {
        let case = case.split("</testcase>").next().unwrap_or(case);
        let name = |attribute| unescape(value_of(case, attribute).unwrap_or_default());
        let test = format!("{} {}", name("classname"), name("name"));
        for line in case.lines() {
            let line = line.trim_start();
            let line = line
                .rsplit_once("<system-out>")
                .map_or(line, |(_, output)| output);
            if let Some(why) = line.strip_prefix(MARK) {
                let why = why.trim_end().trim_end_matches("</system-out>");
                skips.push(Skip {
                    test: test.clone(),
                    why: unescape(why),
                    counts_as_passed: true,
                });
            }
        }
    }
    skips
}

/// How many tests a JUnit report holds, and how many of them failed.
pub(super) fn junit_counts(report: &str) -> (u64, u64) {
    let head = report
        .split_once("<testsuites ")
        .map_or("", |(_, rest)| rest);
    let count = |name| {
        value_of(head, name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(0)
    };
    (count("tests"), count("failures") + count("errors"))
}

/// The skips in what `cargo test -- --show-output` printed.
pub(super) fn from_libtest(report: &str) -> Vec<Skip> {
    let mut skips = Vec::new();
    let mut test = "";
    for line in report.lines() {
        if let Some(name) = line
            .strip_prefix("---- ")
            .and_then(|l| l.strip_suffix(" stdout ----"))
        {
            test = name;
        } else if let Some(why) = line.strip_prefix(MARK) {
            let (test, why) = (test.to_owned(), why.to_owned());
            skips.push(Skip {
                test,
                why,
                counts_as_passed: true,
            });
        } else if let Some((name, why)) = line
            .strip_prefix("test ")
            .and_then(|l| l.split_once(" ... ignored"))
        {
            let why = why.trim_start_matches([',', ' ']);
            let why = if why.is_empty() {
                "marked as ignored"
            } else {
                why
            };
            let (test, why) = (name.to_owned(), why.to_owned());
            skips.push(Skip {
                test,
                why,
                counts_as_passed: false,
            });
        }
    }
    skips
}

/// How many tests passed and failed by the closing lines of `cargo test`.
pub(super) fn libtest_counts(report: &str) -> (u64, u64) {
    let lines = report
        .lines()
        .filter(|line| line.starts_with("test result: "));
    lines.fold((0, 0), |(passed, failed), line| {
        let count = |what| {
            let before = line.split(what).next().unwrap_or_default();
            before
                .trim_end()
                .rsplit([' ', '.'])
                .next()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0)
        };
        (passed + count(" passed;"), failed + count(" failed;"))
    })
}

fn value_of<'a>(text: &'a str, attribute: &str) -> Option<&'a str> {
    let tag = text.split('>').next()?;
    let start = format!("{attribute}=\"");
    let mut from = 0;
    loop {
        let at = from + tag[from..].find(&start)?;
        // `name="` also ends `classname="`.
        if at == 0 || tag.as_bytes()[at - 1] == b' ' {
            return tag[at + start.len()..].split('"').next();
        }
        from = at + 1;
    }
}

fn unescape(text: &str) -> String {
    let named = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    named.iter().fold(text.to_owned(), |text, (escape, plain)| {
        text.replace(escape, plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(test: &str, why: &str, counts_as_passed: bool) -> Skip {
        Skip {
            test: test.to_owned(),
            why: why.to_owned(),
            counts_as_passed,
        }
    }

    const JUNIT: &str = r#"<?xml version="1.0"?>
<testsuites name="nextest-run" tests="3" failures="1" errors="0" uuid="x">
    <testsuite name="a::b" tests="3" disabled="0" errors="0" failures="1">
        <testcase name="quick::one" classname="a::b" time="0.1">
            <system-out>
running 1 test
skipped: there is no &quot;specification&quot; here
test quick::one ... ok
</system-out>
            <system-err></system-err>
        </testcase>
        <testcase name="two" classname="a" time="0.1"><system-out>skipped: no browser</system-out></testcase>
        <testcase name="three" classname="a" time="0.1">
            <failure type="test failure"/><system-out>nothing was skipped: all ran</system-out>
        </testcase>
    </testsuite>
</testsuites>"#;

    #[test]
    fn a_program_tells_in_a_line_of_its_own_why_it_did_nothing() {
        assert_eq!(from_output("begun\nskipped: no list\n"), Some("no list"));
        assert_eq!(from_output("nothing was skipped: all ran\n"), None);
    }

    #[test]
    fn skips_and_counts_are_read_from_a_junit_report() {
        let skips = from_junit(JUNIT);

        let expected = [
            skip(
                "a::b quick::one",
                "there is no \"specification\" here",
                true,
            ),
            skip("a two", "no browser", true),
        ];
        assert_eq!(skips, expected);
        assert_eq!(junit_counts(JUNIT), (3, 1));
    }

    const LIBTEST: &str = "\
running 4 tests
test one ... ok
test two ... ignored, takes a day
test three ... FAILED

successes:

---- one stdout ----
skipped: no recorded answers here

successes:
    one

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out
";

    #[test]
    fn skips_and_counts_are_read_from_what_cargo_test_prints() {
        let skips = from_libtest(LIBTEST);

        let expected = [
            skip("two", "takes a day", false),
            skip("one", "no recorded answers here", true),
        ];
        assert_eq!(skips, expected);
        assert_eq!(libtest_counts(LIBTEST), (13, 1));
    }
}
