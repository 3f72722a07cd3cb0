//! The members of an audience over time, as a line.

use fanfare_domain::time::Timestamp;
use maud::{Markup, html};

use crate::texts;

/// The size of the drawing, which is stretched to its place.
const WIDTH: u64 = 1_000;
const HEIGHT: u64 = 100;

/// A line through these counts, the earliest first. Where they are all the same there is no line.
pub(crate) fn growth(points: &[(Timestamp, u64)], now: Timestamp) -> Markup {
    let (Some((since, first)), Some((_, now_members))) = (points.first(), points.last()) else {
        return html! {};
    };
    let counts = || points.iter().map(|(_, count)| *count);
    let (fewest, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
    if fewest == most {
        return html! {};
    }
    // The drawing begins at zero: a small change looks small.
    let line = line(points, now, 0, most);
    let ago = texts::relative(*since, now);
    let label = format!(
        "{} {ago}, {} now",
        texts::count(*first, "member", "members"),
        texts::number(*now_members),
    );
    html! {
        figure.growth {
            div.scale { span { "Most: " (texts::number(most)) } span { "Now: " (texts::number(*now_members)) } }
            svg role="img" aria-label=(label) viewBox={ "0 -2 " (WIDTH) " " (HEIGHT + 4) } preserveAspectRatio="none" {
                path.area d={ (line) " V" (HEIGHT + 2) " H0 Z" } {}
                path d=(line) {}
            }
            div.scale { span { "Least: " (texts::number(fewest)) ", since " (ago) "; the base line is 0" } span { "Now" } }
        }
    }
}

/// The line in steps from the first count to now: a count holds until the next.
fn line(points: &[(Timestamp, u64)], now: Timestamp, least: u64, most: u64) -> String {
    let begin = points[0].0;
    let span = now.since(begin).as_micros().max(1);
    let range = u128::from((most - least).max(1));
    let mut path = String::new();
    for (at, count) in points {
        let x = at.since(begin).as_micros() * u128::from(WIDTH) / span;
        let height = u128::from(HEIGHT);
        let y = height - u128::from(*count - least) * height / range;
        let step = if path.is_empty() {
            format!("M{x} {y}")
        } else {
            format!(" H{x} V{y}")
        };
        path.push_str(&step);
    }
    format!("{path} H{WIDTH}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_count_holds_until_the_next_and_the_last_one_until_now() {
        let at = |hours| Timestamp::EPOCH.plus(Duration::from_hours(hours));
        let points = [(at(0), 100), (at(1), 150), (at(2), 300)];
        let path = line(&points, at(4), 100, 300);
        assert_eq!(path, "M0 100 H250 V75 H500 V0 H1000");
        let drawn = growth(&[(at(0), 1), (at(47), 2_000)], at(48)).into_string();
        assert!(drawn.contains("1 member 2 days ago, 2,000 now"), "{drawn}");
        assert_eq!(growth(&[(at(0), 1)], at(1)).into_string(), "");
        assert_eq!(
            line(&[(at(0), 7), (at(0), 7)], at(0), 7, 7),
            "M0 100 H0 V100 H1000"
        );
    }
}
