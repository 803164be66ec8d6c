"""How a command answers: its home, JSON or a page, a failure as one sentence and an exit code, tables. Which commands there are is in ``cli``."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from orchestration.errors import ConfigurationError, ExtractMissing, in_a_sentence, known_error
from orchestration.settings import Home, Settings, load_settings, locate_home

DONE, FAILED, WRONG_USE, SOME_HELD = 0, 1, 2, 3

notes = Console(stderr=True, highlight=False)
# A pipe has no width: nothing is folded there.
answers = Console(highlight=False, width=None if sys.stdout.isatty() else 200)


class Context:
    """The home, and how to answer. The settings are read by the commands that use them, which then tell a typo in them."""

    def __init__(self, home: Home, as_json: bool, debug: bool) -> None:
        self.home, self.as_json, self.debug = home, as_json, debug

    @property
    def settings(self) -> Settings:
        return load_settings(self.home)

    def answer(self, document: Any, page: Callable[[], RenderableType]) -> None:
        """Prints one JSON document, or what a person would rather read."""
        if self.as_json:
            click.echo(json.dumps(document, indent=2, default=str))
        else:
            answers.print(page())


class Day(click.ParamType[date]):
    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2017-12-31", param, ctx)
        if not 1900 < day.year < 2200:
            self.fail(f"nothing is known of the year {day.year}", param, ctx)
        return day


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """Gives a command ``--home``, ``--json`` and ``--debug``; turns trouble into one sentence and an exit code."""

    @click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        help="Home directory; else SEGMENTS_HOME, else .segments.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
    @click.option("--debug", is_flag=True, help="Print the traceback of a failure.")
    @wraps(function)
    def run(home: Path | None, as_json: bool, debug: bool, **arguments: Any) -> None:
        context = Context(locate_home(home), as_json, debug)
        try:
            code = function(context, **arguments)
        except Exception as problem:  # noqa: BLE001 - the one place where an unforeseen failure becomes a sentence
            if debug:
                traceback.print_exc()
            sentence, code = _told(problem)
            notes.print(sentence, style="red", markup=False, soft_wrap=True)
            if as_json:
                click.echo(json.dumps({"error": sentence}, indent=2))
        sys.exit(code or DONE)

    return run


def _told(problem: Exception) -> tuple[str, int]:
    """The sentence of a failure, and its exit code. Nothing of the failure itself lives on, with all that its frames hold."""
    wrong_use = isinstance(known_error(problem), ConfigurationError)
    return in_a_sentence(problem), WRONG_USE if wrong_use else FAILED


def listing(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in rows[0] if rows else []:
        numeric = any(isinstance(row[column], int) and not isinstance(row[column], bool) for row in rows)
        table.add_column(
            column,
            justify="right" if numeric or column == "of base" else "left",
            overflow="fold",
            no_wrap=column in ("segment", "release"),
        )
    for row in rows:
        # What others wrote, such as a campaign's name, may have brackets: it is shown, and never read as markup.
        table.add_row(*(value if isinstance(value, Text) else Text(cell(value)) for value in row.values()))
    return table


def cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def no_release(context: Context) -> ExtractMissing:
    return ExtractMissing(f"There is no release in {context.home.releases} yet: make one with `segments refresh`.")
