"""The Dagster asset that judges new extracts against the days before them; its checks say, table by table, what was found."""

from collections.abc import Iterator

import dagster as dg

from expectations.contracts import EXTRACT_TABLES, ExtractTable
from orchestration.ingest.archive import register_archive
from orchestration.known_days import read_known_days
from orchestration.validate.findings import Finding, find
from orchestration.validate.overrides import read_overrides, released_doubts
from orchestration.validate.suite import ask_great_expectations, newest
from orchestration.warehouse import Warehouse

VERDICTS = dg.AssetKey(["quality", "verdicts"])

#: How many findings a check's description tells of; the others are counted.
FINDINGS_SAID = 5


def verdicts_asset() -> dg.AssetsDefinition:
    """Every extract held against the 28 before it; runs once all extracts of the run are in the archive."""

    @dg.asset(
        key=VERDICTS,
        group_name="validate",
        kinds={"duckdb"},
        description="What the checks that know the past say of each extract: one row per extract, expectation and column.",
        deps=[[table.source, table.name] for table in EXTRACT_TABLES.values()],
        check_specs=[dg.AssetCheckSpec(_check(table), asset=VERDICTS) for table in EXTRACT_TABLES.values()],
        required_resource_keys={"warehouse"},
    )
    def verdicts(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        home, settings = warehouse.home, warehouse.settings
        with warehouse.connect() as connection:
            register_archive(connection, home.archive)
            found = find(connection, settings, read_known_days(home), released_doubts(read_overrides(home)))
            judged = {
                table.id: ask_great_expectations(connection, table, day)
                for table in EXTRACT_TABLES.values()
                if (day := newest(connection, table)) is not None
            }
            rows = connection.execute("select count(*) from quality.verdicts").fetchall()[0][0]
        for finding in found:
            if finding.until is None:
                context.log.warning(finding.because)
        yield dg.MaterializeResult(metadata={"dagster/row_count": rows, "findings": len(found)})
        for table in EXTRACT_TABLES.values():
            yield _result(table, [one for one in found if one.table == table.id], judged.get(table.id, 0))

    return verdicts


def _check(table: ExtractTable) -> str:
    return f"{table.source}__{table.name}_is_as_usual"


def _result(table: ExtractTable, found: list[Finding], judged: int) -> dg.AssetCheckResult:
    """Findings that still stand fail the check; they hold segments and do not stop the run."""
    standing = [finding for finding in found if finding.until is None]
    said = "; ".join(finding.because for finding in standing[:FINDINGS_SAID])
    return dg.AssetCheckResult(
        asset_key=VERDICTS,
        check_name=_check(table),
        passed=not standing,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{said}{' …' if len(standing) > FINDINGS_SAID else ''}" if standing else None,
        metadata={"standing": len(standing), "ended": len(found) - len(standing), "expectations_on_the_newest": judged},
    )
