"""Random requests: valid bodies and queries with a few things changed, the same for the same seed."""

import random

import cases
import values

COUNT = 120

POOL = [
    raw
    for table in (values.ODD, values.NUMBERS, values.NUMERIC_STRINGS, values.BOOLEANS, values.STRINGS)
    for raw in table.values()
]
POOL += [cases.text(string) for table in (values.EMAILS, values.URLS) for string in table.values()]
POOL = [raw for raw in POOL if len(raw) < 200]
POOL += [cases.text(value) for value in (cases.ADDRESS, cases.LINE, [cases.LINE] * 3)]

QUERY = list(values.QUERY_INTS.values()) + list(values.QUERY_BOOLS) + list(values.QUERY_FLOATS)
NAMES = ("q", "skip", "limit", "short", "price", "tag", "sort", "count", "notify", "other")
TARGETS = ("/items/7", "/items/x", "/search", "/search", "/stream", "/users/3", "/tuple")


class Raw(str):
    """JSON text that stands for itself."""


def leaves(value, path=()):
    """Paths to all members of a JSON value, inner ones too."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        yield (*path, key)
        if isinstance(member, (dict, list)):
            yield from leaves(member, (*path, key))


def copy(value):
    if isinstance(value, dict):
        return {key: copy(member) for key, member in value.items()}
    return [copy(member) for member in value] if isinstance(value, list) else value


def change(value, rng):
    """Replaces, removes or adds one member."""
    paths = list(leaves(value))
    if not paths:
        return
    *parents, last = rng.choice(paths)
    at = value
    for key in parents:
        at = at[key]
    what = rng.randrange(6)
    if what == 0:
        del at[last]
    elif what == 1 and isinstance(at, dict):
        at[rng.choice(("extra", "Name", "\u00fcber", ""))] = Raw(rng.choice(POOL))
    else:
        at[last] = Raw(rng.choice(POOL))


def escape(string, rng):
    """A JSON string, some of its letters escaped."""
    quoted = cases.text(string)
    if rng.randrange(4):
        return quoted
    letters = (f"\\u{ord(c):04x}" if c.isalpha() and ord(c) < 65536 else c for c in quoted)
    return quoted if "\\" in quoted else "".join(letters)


def write(value, rng):
    """JSON text with members in any order and white space in between."""
    space = rng.choice(("", "", "", " ", "\n\t"))
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        members = list(value.items())
        if rng.randrange(3) == 0:
            rng.shuffle(members)
        written = (f"{escape(key, rng)}:{space}{write(member, rng)}" for key, member in members)
        return "{" + f",{space}".join(written) + "}"
    if isinstance(value, list):
        return f"[{space}" + f",{space}".join(write(member, rng) for member in value) + "]"
    return escape(value, rng) if isinstance(value, str) else cases.text(value)


def body(rng):
    method, target, valid = cases.BODIES[rng.choice(list(cases.BODIES))]
    value = copy(valid)
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 5))):
        change(value, rng)
    raw = write(value, rng).encode()
    if rng.randrange(12) == 0:
        raw = raw[: rng.randrange(1, len(raw))]
    return method, target, cases.JSON, raw


def query(rng):
    pairs = (f"{rng.choice(NAMES)}={rng.choice(QUERY)}" for _ in range(rng.randrange(1, 5)))
    return "GET", f"{rng.choice(TARGETS)}?{'&'.join(pairs)}", [], b""


def random_requests(seed):
    rng = random.Random(seed)
    made = (query(rng) if rng.randrange(4) == 0 else body(rng) for _ in range(COUNT))
    return [(f"random/{seed}/{number}", *request) for number, request in enumerate(made)]
