"""Times the checks of one night: a million order lines and a hundred thousand customer changes are read, judged by Great
Expectations, profiled and archived, as one whole process.

``python -m benchmarks.checks``. No dbt and no Dagster run: what is measured is everything before the models.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.company import FIRST_EXTRACT, Size, make_company
from benchmarks.processes import Cost, measured

REPOSITORY = Path(__file__).resolve().parents[1]

ORDER_LINES, CUSTOMERS = "shop/order_lines", "crm/customers"

#: The aim for a million order lines and a hundred thousand customer changes.
SECONDS = 15
PEAK_MEMORY = 1.5e9

#: What the assets of the two extracts do, and nothing else; says the seconds and the archived rows of each.
INGEST = """
import json, sys, time
from datetime import date
from pathlib import Path
from expectations.contracts import EXTRACT_TABLES
from orchestration.days import Days
from orchestration.ingest.assets import ingest
from orchestration.settings import load_settings, locate_home
from orchestration.validate.gate import judge_with
from orchestration.warehouse import Warehouse
home, day = locate_home(Path(sys.argv[1])), date.fromisoformat(sys.argv[2])
settings = load_settings(home)
said = {}
with Warehouse(home, settings).connect() as connection:
    for table in (EXTRACT_TABLES[table_id] for table_id in sys.argv[3:]):
        started = time.perf_counter()
        origin = ingest(connection, home, table, Days(day, day), judge_with(home, settings)).origins[day]
        said[table.id] = time.perf_counter() - started, origin.rows - origin.refused
print(json.dumps(said))
"""


def run(folder: Path, lines: int, customers: int, memory_limit: str) -> Cost:
    """Makes a company whose first extract has the lines and the customers, ingests it, and prints what that cost.

    Raises RuntimeError where a row did not get into the archive: what is refused is not measured.
    """
    make_company(folder, Size(customers, lines, nights=0), memory_limit)
    command = [sys.executable, "-c", INGEST, str(folder), str(FIRST_EXTRACT), ORDER_LINES, CUSTOMERS]
    cost, said = measured(command, REPOSITORY, folder / "checks.log")
    for table_id, (seconds, rows) in json.loads(said).items():
        print(f"{table_id:>18}: {rows:>9,} rows archived, {seconds:.1f} s")
        if rows != {ORDER_LINES: lines, CUSTOMERS: customers}[table_id]:
            raise RuntimeError(f"{table_id} was not archived whole")
    print(
        f"   the whole process: {cost.wall:.1f} s, {cost.processor:.1f} s of processor, {cost.peak_memory / 1e9:.2f} GB at the "
        f"peak (aim: under {SECONDS} s and {PEAK_MEMORY / 1e9} GB)"
    )
    return cost


def main() -> None:
    """Exits with 1 where the aim is missed."""
    given = argparse.ArgumentParser(prog="python -m benchmarks.checks", description=__doc__)
    given.add_argument("--lines", type=int, default=1_000_000)
    given.add_argument("--customers", type=int, default=100_000)
    given.add_argument("--memory-limit", default="1GB", help="DuckDB's")
    said = given.parse_args()
    with tempfile.TemporaryDirectory(prefix="nightly-segments-") as folder:
        cost = run(Path(folder), said.lines, said.customers, said.memory_limit)
    sys.exit(cost.wall > SECONDS or cost.peak_memory > PEAK_MEMORY)


if __name__ == "__main__":
    main()
