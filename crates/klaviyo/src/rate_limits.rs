//! The header `RateLimit-Limit`.

use fanfare_domain::quota::RateLimits;

/// Reads `RateLimit-Limit`, for example `75, 75;w=1, 750;w=60`: a number, and then each limit with the length
/// of its window in seconds. `None` unless the limits of both windows are present and not zero.
pub(crate) fn parse(header: &str) -> Option<RateLimits> {
    let window = |seconds: &str| {
        header.split(',').find_map(|item| {
            let (limit, parameters) = item.trim().split_once(';')?;
            let named = parameters
                .split(';')
                .find_map(|p| p.trim().strip_prefix("w="))?;
            (named.trim() == seconds).then(|| limit.trim().parse::<u32>().ok())?
        })
    };
    let limits = RateLimits {
        burst: window("1")?,
        steady: window("60")?,
    };
    (limits.burst > 0 && limits.steady > 0).then_some(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_form_of_the_limit_header_is_understood() {
        let l = Some(RateLimits {
            burst: 75,
            steady: 750,
        });
        assert_eq!(parse("75, 75;w=1, 750;w=60"), l);
        assert_eq!(parse("75,750;w=60 , 75; w=1"), l);
        assert_eq!(
            parse("1, 1;w=1, 15;w=60"),
            Some(RateLimits {
                burst: 1,
                steady: 15
            })
        );
        for nonsense in ["", "75", "75;w=1", "0, 0;w=1, 0;w=60", "x;w=1, y;w=60"] {
            assert_eq!(parse(nonsense), None, "{nonsense:?}");
        }
    }
}
