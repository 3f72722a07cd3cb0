"""Reads a simulated account with Klaviyo's own client, unchanged but for the host.

    python3 -m venv .sdk && .sdk/bin/pip install klaviyo-api==24.0.0
    cargo run -p klaviyo-sim -- --addr 127.0.0.1:4802 --latency 0
    .sdk/bin/python crates/klaviyo-sim/tests/sdk/read_lists.py http://127.0.0.1:4802

Ends with status 0 if everything was read as it should be.
"""

import sys

from klaviyo_api import KlaviyoAPI

KEY = "pk_demo_0123456789abcdef0123456789abcdef"
LIST = "XyZaBc"
SINCE = "2024-01-01T00:00:00Z"


def pages(read, **parameters):
    """Every page, following the links as the client's readme says.

    The client takes the cursor out of a link by itself, but only of one with https.
    """
    cursor = {}
    while True:
        page = read(**cursor, **parameters)
        yield page
        # Asked for some fields only, the client answers with a plain dictionary.
        link = page["links"]["next"] if isinstance(page, dict) else page.links.next
        if not link:
            return
        cursor = {"page_cursor": link.replace("http://", "https://")}


def main(host):
    klaviyo = KlaviyoAPI(KEY, max_delay=60, max_retries=3, test_host=host)

    (account,) = klaviyo.Accounts.get_accounts().data
    print(f"account {account.id}")

    lists = [found for page in pages(klaviyo.Lists.get_lists) for found in page.data]
    ids = [found.id for found in lists]
    assert len(ids) == len(set(ids)) and LIST in ids, ids
    assert len(ids) > 10, "more than a page"
    print(f"{len(ids)} lists")

    segments = [found for page in pages(klaviyo.Segments.get_segments) for found in page.data]
    assert len(segments) > 10, "more than a page"
    print(f"{len(segments)} segments")

    found = klaviyo.Lists.get_list(LIST, additional_fields_list=["profile_count"])
    count = found.data.attributes.profile_count

    def members(filter):
        read = pages(
            lambda **parameters: klaviyo.Lists.get_profiles_for_list(LIST, **parameters),
            fields_profile=["email", "joined_group_at", "updated"],
            filter=filter,
            sort="joined_group_at",
            page_size=100,
        )
        return [member for page in read for member in page["data"]]

    later = members(f"greater-or-equal(joined_group_at,{SINCE})")
    earlier = members(f"less-than(joined_group_at,{SINCE})")
    joined = [member["attributes"]["joined_group_at"] for member in earlier + later]
    assert joined == sorted(joined), "in the order of joining"
    assert len({member["id"] for member in earlier + later}) == count == len(joined)
    assert earlier and later
    print(f"{count} members: {len(earlier)} joined before {SINCE}, {len(later)} since")

    some = next(member for member in later if member["attributes"]["email"])
    email, id = some["attributes"]["email"], some["id"]
    by_email = klaviyo.Profiles.get_profiles(filter=f'equals(email,"{email}")')
    assert id in [profile.id for profile in by_email.data]
    assert klaviyo.Profiles.get_profile(id).data.id == id
    print("profiles by e-mail and by id")


if __name__ == "__main__":
    main(sys.argv[1])
