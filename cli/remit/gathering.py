"""The working tree read by every processor: whoever reads a record also judges it and gives its id.

Source: docs/decisions/038-a-first-check.md.
"""

from __future__ import annotations

from dataclasses import replace

from remit.bulk import Seen, Spread, judged, unasked_kinds
from remit.footing import blob_id
from remit.git import Marks
from remit.schemas import load_schemas
from remit.store import CONFIG, Files, Store, read_regular

_FIRST = ("schemas/", "rules/", CONFIG)
"""What says how records are judged, and into which of them rules will look."""


def gathered(store: Store, spread: Spread) -> Files:
    """What ``store.files()`` gives, with the ids and verdicts of many records."""
    listing = store.listed()
    algorithm = store.repository.object_format if store.repository is not None else "sha1"

    def fetch(path: str) -> tuple[bytes, Seen]:
        data, marks = read_regular(f"{store.root}/{path}")
        return data, (bytes.fromhex(blob_id(data, algorithm)), *marks)

    try:
        known = {path: read_regular(f"{store.root}/{path}") for path in listing.paths if path.startswith(_FIRST)}
    except OSError:
        return store.read_listed(listing, {})
    schemas, _ = load_schemas({path: data for path, (data, _) in known.items()})
    rules = (data for path, (data, _) in known.items() if not path.startswith("schemas/"))
    records = judged(listing.paths, fetch, schemas, spread, unasked_kinds(schemas, rules))
    known |= {path: (one.data, Marks(*one.seen[1:])) for path, one in records.items()}
    ids = {path: one.seen[0].hex() for path, one in records.items()}
    return replace(store.read_listed(listing, known), ids=ids, judged=records)
