"""The command that writes the brief of a segment: thin. What is in it is in ``target.brief``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from orchestration.errors import ConfigurationError
from orchestration.terminal import Context, command, no_release, notes


@click.command()
@click.argument("segment")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it into this file instead of on stdout."
)
@command
def brief(context: Context, segment: str, out: Path | None) -> None:
    """Write the brief of SEGMENT in Markdown, for whoever writes to its members: who, what to tell them and why, how, and what it could show."""
    from orchestration.target.brief import read_brief

    made = read_brief(context.home, context.settings, segment)
    if made is None:
        raise no_release(context)
    if out:
        try:
            out.write_text(made.markdown, encoding="utf-8")
        except OSError as problem:
            raise ConfigurationError(
                f"{out} cannot be written ({problem.strerror}): name a file in a folder that there is."
            ) from None
        notes.print(f"The brief of {segment} is in {out}.", markup=False, soft_wrap=True)
    if context.as_json:
        context.answer(asdict(made), str)
    elif not out:
        click.echo(made.markdown, nl=False)
