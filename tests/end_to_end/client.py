"""A client of the release, in a process of its own: ``client.py HOME`` opens and asks until its standard input closes.

Prints one JSON line per look: the release's as-of date, and the segments whose table is not what the catalogue says.
"""

from __future__ import annotations

import json
import select
import sys
from pathlib import Path

import duckdb


def look(file: Path) -> dict[str, object]:
    with duckdb.connect(str(file), read_only=True) as release:
        catalogue = release.execute("select segment, members, as_of_date::varchar from catalog.segments").fetchall()
        sizes = {
            segment: release.execute(f'select count(*) from segments."{segment}"').fetchall()[0][0]
            for segment, _, _ in catalogue
        }
        [(counted_to, lines)] = release.execute(
            "select max(as_of_date)::varchar, count(*) from metrics.segment_counts_daily"
        ).fetchall()
    return {
        "as_of": sorted({as_of for _, _, as_of in catalogue} | {counted_to}),
        "segments": len(catalogue),
        "counts": lines,
        "torn": [segment for segment, members, _ in catalogue if sizes[segment] != members],
    }


if __name__ == "__main__":
    current = Path(sys.argv[1]) / "releases" / "current" / "segments.duckdb"
    while not select.select([sys.stdin], [], [], 0)[0]:
        print(json.dumps(look(current)), flush=True)
