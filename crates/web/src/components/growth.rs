//! The members of an audience over time, as a line.

use fanfare_domain::time::Timestamp;
use maud::{Markup, html};

use crate::texts;

/// The size of the drawing, which is stretched to its place.
const WIDTH: u64 = 1_000;
const HEIGHT: u64 = 100;

/// A line through these counts, the earliest first. With fewer than two there is no line.
pub(crate) fn growth(points: &[(Timestamp, u64)]) -> Markup {
    let (Some((begin, first)), Some((end, last))) = (points.first(), points.last()) else {
        return html! {};
    };
    if points.len() < 2 {
        return html! {};
    }
    let line = line(points);
    let label = format!(
        "From {} on {} to {} on {}",
        texts::count(*first, "member", "members"),
        texts::date(*begin),
        texts::number(*last),
        texts::date(*end)
    );
    html! {
        svg.growth role="img" aria-label=(label) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" {
            path.area d={ (line) " V" (HEIGHT) " H0 Z" } {}
            path d=(line) {}
        }
    }
}

/// The line in steps: a count holds until the next.
fn line(points: &[(Timestamp, u64)]) -> String {
    let (begin, end) = (points[0].0, points[points.len() - 1].0);
    let span = end.since(begin).as_micros().max(1);
    let most = points
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0)
        .max(1);
    let mut path = String::new();
    for (at, count) in points {
        let x = at.since(begin).as_micros() * u128::from(WIDTH) / span;
        let y = u128::from(HEIGHT) - u128::from(*count) * u128::from(HEIGHT) / u128::from(most);
        let step = if path.is_empty() {
            format!("M{x} {y}")
        } else {
            format!(" H{x} V{y}")
        };
        path.push_str(&step);
    }
    path
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_count_holds_until_the_next() {
        let at = |hours| Timestamp::EPOCH.plus(Duration::from_hours(hours));
        let path = line(&[(at(0), 0), (at(1), 50), (at(4), 200)]);
        assert_eq!(path, "M0 100 H250 V75 H1000 V0");
        let drawn = growth(&[(at(0), 1), (at(48), 2_000)]).into_string();
        assert!(
            drawn.contains("From 1 member on 1970-01-01 to 2,000 on 1970-01-03"),
            "{drawn}"
        );
        assert_eq!(growth(&[(at(0), 1)]).into_string(), "");
        assert_eq!(line(&[(at(0), 0), (at(0), 0)]), "M0 100 H0 V100");
    }
}
