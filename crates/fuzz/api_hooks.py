"""Lets schemathesis ask as many organizations, in turn, for things that exist.

One organization may make a thousand requests a minute, so they are spread. Ids that schemathesis makes up are unknown to
the API; half of the time they are replaced by those of the organization that asks.
"""

import itertools
import json
import os
import random

import schemathesis

with open(os.environ["FANFARE_FUZZ_ORGANIZATIONS"], encoding="utf-8") as file:
    SETUP = json.load(file)

TURNS = itertools.cycle(random.sample(SETUP["organizations"], len(SETUP["organizations"])))
KNOWN = {
    "/api/audiences/{id}": "audience",
    "/api/consumers/{id}": "consumer",
    "/api/sync-runs/{id}": "run",
    "/api/sync-sources/{id}": "source",
}


@schemathesis.hook
def before_call(context, case, kwargs):
    organization = next(TURNS)
    case.headers["Authorization"] = f"Bearer {organization['key']}"
    path, method = case.operation.path, case.method.upper()
    for prefix, name in KNOWN.items():
        if path.startswith(prefix) and method != "DELETE" and random.random() < 0.5:
            case.path_parameters["id"] = organization[name]
    # Organizations that have disconnected have nothing to show any more.
    if path == "/api/settings" and method == "PUT" and random.random() < 0.9:
        case.body = {"klaviyo": {"apiKey": SETUP["klaviyo"]}}
