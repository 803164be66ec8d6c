"""The ``segments`` command: thin. It reads what was asked for, calls the packages, and prints what they return."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestration.brief_command import brief
from orchestration.campaign_commands import campaign
from orchestration.days import Days
from orchestration.errors import ConfigurationError, ExtractMissing
from orchestration.garbage import collect_rarely
from orchestration.persona_commands import persona, which
from orchestration.segment_commands import customer, diff, preview, show
from orchestration.selection import Selection
from orchestration.terminal import (
    DONE,
    FAILED,
    SOME_HELD,
    WRONG_USE,
    Context,
    Day,
    command,
    listing,
    no_release,
    notes,
)

if TYPE_CHECKING:
    from orchestration.publish.notes import ReleaseNotes
    from orchestration.publish.status import SegmentStatus


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nightly-segments")
def main() -> None:
    """Refreshes customer segments every night, and tells the truth about them."""
    collect_rarely()


for one in (campaign, persona, which, show, preview, diff, customer, brief):
    main.add_command(one)


@main.command()
@command
def demo(context: Context) -> None:
    """Write the demo company's extracts into the home."""
    from rich.progress import Progress

    from orchestration.demo import GENERATED_FIELDS, write_demo

    with Progress(console=notes) as bar:
        task = bar.add_task("extracts of 2017", total=None)
        summary = write_demo(context.home.path, lambda done, total: bar.update(task, completed=done, total=total))

    def table() -> Table:
        planted = Table(title="Dirt planted in the extracts", title_justify="left")
        for column in ("day", "table", "what"):
            planted.add_column(column, overflow="fold")
        for case in summary.planted:
            planted.add_row(str(case.date), case.table, case.sentence)
        planted.caption = (
            f"{summary.files:,} files for {summary.days} days: {summary.customers:,} customers, "
            f"{summary.order_lines:,} order lines, in {context.home.extracts}.\n{GENERATED_FIELDS}"
        )
        planted.caption_justify = "left"
        return planted

    context.answer(asdict(summary), table)


@main.command()
@click.option("--as-of", type=Day(), help="The day to refresh; default: the newest day that has extracts.")
@click.option("--from", "first", type=Day(), help="First day of a range.")
@click.option("--to", "last", type=Day(), help="Last day of a range, included.")
@click.option(
    "--select",
    "names",
    multiple=True,
    metavar="NAME",
    help="Evaluate this segment alone, on days on record (default: all of them); may be given again.",
)
@command
def refresh(context: Context, as_of: date | None, first: date | None, last: date | None, names: tuple[str, ...]) -> int:
    """Ingest, check, transform, count and publish a day, or a range of days in one run."""
    from expectations.contracts import EXTRACT_TABLES
    from orchestration.ingest.extracts import newest_day
    from orchestration.refresh import give_past
    from orchestration.refresh import refresh as run

    if as_of and (first or last):
        raise ConfigurationError("Say either --as-of, or --from and --to.")
    if bool(first) != bool(last):
        raise ConfigurationError("A range needs both --from and --to.")
    if first and last and first > last:
        raise ConfigurationError(f"The range begins on {first}, after its end on {last}.")
    settings = context.settings
    asked = Days(first, last) if first and last else Days(as_of, as_of) if as_of else None
    if names:
        notes.print(f"Evaluating {', '.join(names)} on {asked or 'all days on record'} in {context.home.path}")
        give_past(context.home, settings, Selection(names, asked))
        return _print_status(context)
    if asked:
        days = asked
    else:
        day = newest_day(context.home.extracts, list(EXTRACT_TABLES.values()))
        days = Days(day, day)
    notes.print(f"Refreshing {days} in {context.home.path}")
    run(context.home, settings, days)
    return _print_status(context)


@main.command()
@command
def status(context: Context) -> int:
    """Show the current release and each segment in it."""
    return _print_status(context)


@main.command()
@click.argument("name")
@click.option("--date", "on", type=Day(), help="The day to explain; default: the release's.")
@click.option("--since", type=Day(), help="The day that it is compared with; default: the one before.")
@command
def explain(context: Context, name: str, on: date | None, since: date | None) -> None:
    """Explain why the members of the segment NAME changed: causes that add up to everybody who entered or left."""
    from orchestration.publish.explanation import read_explanation

    reasons = read_explanation(context.home, name, on, since)
    if reasons is None:
        raise no_release(context)

    def page() -> Group:
        causes = [
            {
                "direction": cause.direction,
                "cause": cause.cause,
                "customers": cause.customers,
                "revenue": cause.revenue,
                "clause": cause.clause or "",
                "detail": cause.detail or "",
            }
            for cause in reasons.causes
        ]
        inputs = [asdict(one) for one in reasons.inputs]
        unusual = [listing("What the inputs did", inputs)] if inputs else []
        return Group(
            Text(f"{reasons.sentence}."), "", listing(f"From {reasons.before} to {reasons.on}", causes), *unusual
        )

    context.answer(asdict(reasons) | {"sentence": reasons.sentence}, page)


@main.command()
@click.argument("column")
@command
def impact(context: Context, column: str) -> None:
    """List the segments that hang on a raw COLUMN, such as crm/customers.email_opt_in, or on each of a table's."""
    from orchestration.publish.impact import read_impact

    found = read_impact(context.home, column)
    if found is None:
        raise no_release(context)
    rows = [{"column": raw, "segments": ", ".join(hanging) or "none"} for raw, hanging in found.segments.items()]
    context.answer(asdict(found), lambda: listing(f"Segments on {found.as_of_date} that hang on {column}", rows))


@main.command()
@command
def releases(context: Context) -> None:
    """List the releases that are kept, the newest published first."""
    from orchestration.publish.releases import current_release, list_releases

    current = current_release(context.home)
    kept = list_releases(context.home)
    rows = [
        {
            "release": manifest.release,
            "as_of_date": manifest.as_of_date,
            "published_at": manifest.published_at,
            "current": current is not None and manifest.release == current.release,
        }
        for manifest in kept
    ]
    context.answer(rows, lambda: listing(f"Releases in {context.home.releases}", rows))


@main.command()
@click.argument("release")
@command
def rollback(context: Context, release: str) -> None:
    """Publish an earlier RELEASE again, by one rename."""
    from orchestration.publish.releases import rollback as roll_back

    manifest = roll_back(context.home, release)
    said = {"release": manifest.release, "as_of_date": manifest.as_of_date}
    context.answer(
        said, lambda: f"{manifest.release} is the current release again; the next refresh publishes a new one."
    )


@main.command("release-held")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why it is right to publish it; kept with your name and the time.")
@command
def release_held(context: Context, names: tuple[str, ...], reason: str) -> int:
    """Publish the held segment NAME, or several, all the same."""
    from orchestration.refresh import release_held as run

    run(context.home, context.settings, names, reason)
    return _print_status(context)


of_one_measure = click.option(
    "--measure",
    type=click.Choice(["members", "entered", "exited", "share"]),
    help="Only what is told of this figure of the segment.",
)


@main.command()
@click.argument("segment")
@click.option("--reason", required=True, help="What is known of it; kept with your name and the time.")
@click.option("--until", type=Day(), help="The last as-of date for which nobody is told; default: until it recovers.")
@of_one_measure
@command
def ack(context: Context, segment: str, reason: str, until: date | None, measure: str | None) -> None:
    """Say that what is up with SEGMENT is known: no more is told of it than its recovery."""
    _acknowledge(context, segment, "ack", reason, until, measure)


@main.command()
@click.argument("segment")
@click.option("--until", type=Day(), required=True, help="The last as-of date for which nobody is told.")
@click.option("--reason", required=True, help="Why; kept with your name and the time.")
@of_one_measure
@command
def snooze(context: Context, segment: str, until: date, reason: str, measure: str | None) -> None:
    """Have nobody told of SEGMENT until a day, whatever happens to it."""
    _acknowledge(context, segment, "snooze", reason, until, measure)


@main.command()
@click.option("--send-test", is_flag=True, help="Send each receiver of alerts.yml a test message too.")
@command
def check(context: Context, send_test: bool) -> int:
    """Check settings.yml, calendar.yml, alerts.yml, campaigns, personas and the dbt project before a night finds out."""
    from orchestration.check import check as run
    from orchestration.check import send_trials

    checked = run(context.home)
    is_wrong = any(one.wrong for one in checked)
    trials = send_trials(context.home) if send_test and not is_wrong else []

    def shown() -> Text:
        lines = [f"{one.what}: {one.wrong or 'ok'}" for one in checked]
        return Text("\n".join(lines + [f"test to {one.receiver}: {one.wrong or 'sent'}" for one in trials]))

    context.answer({"checked": [asdict(one) for one in checked], "tests": [asdict(one) for one in trials]}, shown)
    if send_test and is_wrong:
        notes.print("No test was sent: mend what is wrong first.", style="yellow")
    elif send_test and not trials:
        notes.print(f"No test was sent: there is no alerts.yml in {context.home.path}.", markup=False, soft_wrap=True)
    return WRONG_USE if is_wrong else FAILED if any(one.wrong for one in trials) else DONE


@main.command("check-freshness")
@click.option(
    "--max-age-hours",
    type=click.IntRange(min=1),
    help="Hours that may have passed since the as-of date ended; default: until 6 hours after the night began.",
)
@click.option("--now", "now", hidden=True, help="Another time than now, in ISO 8601 with its zone.")
@command
def check_freshness(context: Context, max_age_hours: int | None, now: str | None) -> int:
    """Exit with 1 where the release is older than it should be; for cron, or a monitor elsewhere."""
    from orchestration.alert.freshness import USUAL_AGE, freshness

    clock = datetime.fromisoformat(now).astimezone(UTC) if now else datetime.now(UTC)
    max_age = USUAL_AGE if max_age_hours is None else timedelta(hours=max_age_hours)
    found = freshness(context.home, context.settings, clock, max_age)
    if found.is_fresh or context.as_json:
        context.answer(asdict(found), lambda: Text(found.said))
    if not found.is_fresh:
        notes.print(found.said, style="red", markup=False, soft_wrap=True)
    return DONE if found.is_fresh else FAILED


@main.command()
@command
def rebuild(context: Context) -> int:
    """Throw the warehouse away and derive it again from the archive."""
    from orchestration.publish.releases import days_on_record
    from orchestration.refresh import rebuild as run

    days = days_on_record(context.home)
    if days is None:
        raise ExtractMissing(f"Nothing was ever published in {context.home.path}: use `segments refresh`.")
    settings = context.settings
    notes.print(f"Rebuilding {days} from {context.home.archive}")
    run(context.home, settings, days)
    return _print_status(context)


@main.command()
@click.option("--as-of", type=Day(), help="The night to drill; default: the newest whose extracts are there.")
@click.option(
    "--nights", type=click.IntRange(min=0), default=0, show_default=True, help="Clean nights before it to run too."
)
@click.option("--only", multiple=True, metavar="FAULT", help="Drill this fault and no other; may be given again.")
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Markdown page into which the result goes, below its heading `The last drill`.",
)
@click.option(
    "--shifts", is_flag=True, help="Plant shifts in a copy of the daily counts instead, and score the alerts."
)
@command
def drill(
    context: Context, as_of: date | None, nights: int, only: tuple[str, ...], page: Path | None, shifts: bool
) -> None:
    """Plant faults in copies of one night, and tell which would be caught and at what price. The home is only read."""
    from rich.progress import Progress

    if shifts:
        if as_of or nights or only or page:
            raise ConfigurationError("--shifts drills the whole history: say it alone.")
        return _drill_shifts(context)
    from orchestration.drill.drill import drill as run
    from orchestration.drill.report import FAULT_COLUMNS, fault_row, said_in_short, words_of, write_page

    if page:
        words_of(page)  # a drill takes long: a page that cannot take it is told before
    with Progress(console=notes) as bar:
        task = bar.add_task("", total=None)
        drilled = run(
            context.home,
            as_of=as_of,
            nights=nights,
            only=only,
            progress=lambda done, total, what: bar.update(task, completed=done, total=total, description=what),
        )
    if page:
        write_page(page, drilled)

    def shown() -> Group:
        rows = [dict(zip(FAULT_COLUMNS, fault_row(outcome), strict=True)) for outcome in drilled.faults]
        falsely = [
            {"night": night, "held": len(held), "because": "; ".join(said)}
            for night, held, said in [
                *((control.what, control.held, control.said) for control in drilled.controls),
                *((str(hold.as_of_date), hold.held, hold.said) for hold in drilled.clean.false_holds),
            ]
        ]
        return Group(listing("Faults", rows), listing("Nights without a fault", falsely), Text(said_in_short(drilled)))

    context.answer(asdict(drilled), shown)


def _drill_shifts(context: Context) -> None:
    from rich.progress import Progress

    from orchestration.drill.shifts import drill_shifts

    with Progress(console=notes) as bar:
        task = bar.add_task("", total=None)
        drilled = drill_shifts(
            context.home, lambda done, total, what: bar.update(task, completed=done, total=total, description=what)
        )

    def page() -> Group:
        rows = [
            {
                "figure": one.measure,
                "planted": one.shift,
                "found": f"{one.found} of {one.planted}",
                "after days": "–" if one.days_until_found is None else f"{one.days_until_found:.0f}",
            }
            for one in drilled.found
        ]
        small = [f"{measure}: {', '.join(names)}" for measure, names in drilled.too_small.items() if names]
        return Group(
            listing(f"Shifts planted in {drilled.segments} segments, {drilled.first_day} to {drilled.last_day}", rows),
            Text(
                f"As it is, the history has {drilled.alerts} alerts: {drilled.alerts_per_segment_and_year} per segment and year."
            ),
            Text("Too small to plant anything in. " + "; ".join(small) + "." if small else ""),
        )

    context.answer(asdict(drilled), page)


@main.command()
@click.argument("name")
@command
def new(context: Context, name: str) -> None:
    """Scaffold the two files of a segment called NAME, and its line in the list."""
    from orchestration.transform.scaffold import scaffold

    files = scaffold(name)
    shown = [str(file) for file in files]
    context.answer({"files": shown}, lambda: "Edit, then refresh:\n" + "\n".join(f"  {file}" for file in shown))


@main.command()
@click.option("--port", default=3000, show_default=True, help="Port of the web UI.")
@command
def dev(context: Context, port: int) -> int:
    """Open Dagster's web UI and daemon on the home."""
    from orchestration.instance import open_instance

    with open_instance(context.home):
        pass
    workspace = Path(__file__).resolve().parents[1] / "workspace.yaml"
    environment = {**os.environ, "DAGSTER_HOME": str(context.home.dagster), "SEGMENTS_HOME": str(context.home.path)}
    dagster = shutil.which("dagster", path=str(Path(sys.executable).parent)) or "dagster"
    command = [dagster, "dev", "--workspace", str(workspace), "--host", "127.0.0.1", "--port", str(port)]
    return FAILED if subprocess.run(command, env=environment, check=False).returncode else DONE


@main.command()
@click.option("--port", default=8501, show_default=True, help="Port of the web app.")
@command
def app(context: Context, port: int) -> int:
    """Open the web app on the home's release, for whoever is at this machine."""
    root = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "SEGMENTS_HOME": str(context.home.path)}
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/entry/app.py", "--server.port", str(port)]
    return FAILED if subprocess.run(command, cwd=root, env=environment, check=False).returncode else DONE


def _acknowledge(
    context: Context, segment: str, kind: Literal["ack", "snooze"], reason: str, until: date | None, measure: str | None
) -> None:
    from orchestration.alert.acknowledgements import acknowledge

    made = acknowledge(context.home, segment, kind, reason, until, measure)
    what = f"{made.segment} {made.measure}" if made.measure else made.segment
    end = f" until {made.until}" if made.until else ""
    silence = (
        f"Of what moved {what} up to {made.first_day} only the recovery is told{end}"
        if kind == "ack"
        else f"Nothing is told of {what}{end}"
    )
    context.answer(asdict(made), lambda: Text(f"{silence}; kept with your name."))


def _print_status(context: Context) -> int:
    from orchestration.alert.ledger import Ledger
    from orchestration.publish.status import read_status

    status = read_status(context.home)
    if status is None:
        raise no_release(context)
    held = [segment for segment in status.segments if segment.state == "held"]
    undelivered = Ledger.read(context.home).undelivered(datetime.now(UTC))
    alerts = [
        {
            "receiver": entry.receiver,
            "title": entry.title,
            "at": entry.at,
            "attempts": entry.attempts,
            "why": entry.said,
        }
        for entry in undelivered
    ]

    def table() -> Table:
        rows = [
            {
                "segment": segment.segment,
                "members": segment.members,
                "of base": f"{segment.share_of_base:.1%}",
                "entered": segment.entered,
                "exited": segment.exited,
                "state": segment.state_in_words,
                "what": segment.label,
            }
            for segment in status.segments
        ]
        shown = listing(f"Segments on {status.as_of_date}, release {status.release}", rows)
        shown.caption = (
            f"{status.base_customers:,} customers in the base; history since {status.first_as_of_date}. Query it:\n"
            f'  duckdb -readonly {shlex.quote(str(status.file))} "from segments.men_18_25"'
        )
        shown.caption_justify = "left"
        return shown

    def page() -> Group:
        parts: list[RenderableType] = [table()]
        if status.notes:
            parts += ["", *_notes_in_words(status.notes)]
        if alerts:
            parts += ["", listing("Alerts not delivered", alerts)]
        return Group(*parts)

    context.answer(asdict(status) | {"alerts": alerts}, page)
    if held:
        _tell_of_held(held)
    return SOME_HELD if held else DONE


def _tell_of_held(held: list[SegmentStatus]) -> None:
    """Which segments are held, reason by reason, and what can be done."""
    reasons: dict[str, list[str]] = {}
    for segment in held:
        reasons.setdefault(f"held since {segment.held_since}: {segment.held_because}", []).append(segment.segment)
    for reason, names in reasons.items():
        notes.print(f"{', '.join(names)}: {reason}", style="yellow", markup=False, soft_wrap=True)
    notes.print(
        "Deliver the corrected extract and refresh again, or, where the figures are right after all, "
        "`segments release-held NAME --reason …`.",
        markup=False,
        soft_wrap=True,
    )


def _notes_in_words(said: ReleaseNotes) -> list[str]:
    """What is new in the release, a line a matter."""
    lines = [f"{len(said.fresh)} segments are fresh, {len(said.held)} are held."]
    lines += [f"Released by hand: {one.segment}, by {one.by}" for one in said.released]
    if said.redefined:
        lines.append(f"Defined anew since the release before: {', '.join(said.redefined)}")
    lines += [
        f"{one.table}: {one.rows:,} rows came"
        + (f", {one.refused:,} of them refused, see quarantine" if one.refused else "")
        for one in said.extracts
    ]
    lines += [
        f"{one.severity}: {one.table} {one.column} {one.expectation}: {one.observed}".replace("  ", " ")
        for one in said.failed_checks
    ]
    return lines


if __name__ == "__main__":
    main()
