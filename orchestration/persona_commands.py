"""The commands of personas: thin. They read what was asked for, call ``personas``, and print what it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.console import Group
from rich.text import Text

from orchestration.terminal import Context, command

if TYPE_CHECKING:
    from orchestration.personas.which import Answer, Match


@click.group()
def persona() -> None:
    """Write personas: what to tell the customers of a segment, and why."""


@persona.command()
@click.argument("name")
@command
def new(context: Context, name: str) -> None:
    """Write the file of a persona called NAME, to be filled in."""
    from orchestration.personas.template import new_persona

    file = new_persona(context.home, context.settings, name)
    context.answer(
        {"file": str(file)},
        lambda: Text(
            f"Fill in {file}: `segments check` says what is still empty, docs/how_to/write_a_persona.md what it means."
        ),
    )


@click.command()
@click.argument("task")
@command
def which(context: Context, task: str) -> None:
    """Say whether TASK, in words, wants a segment, a persona or both, why, and where to go."""
    from orchestration.personas.which import KNOWN_TASKS
    from orchestration.personas.which import which as answer_to

    answer = answer_to(task)
    document = {
        "task": answer.task,
        "tool": answer.tool,
        "sentence": answer.sentence,
        "matches": [_row_of_match(match) for match in answer.matches],
        "known_tasks": KNOWN_TASKS,
    }
    context.answer(document, lambda: _page_of_answer(answer))


def _row_of_match(match: Match) -> dict[str, Any]:
    rule = match.rule
    said = {"task": rule.task, "words": match.words, "tool": rule.tool, "reason": rule.reason}
    return said | {"command": rule.place.command, "page": rule.place.page}


def _page_of_answer(answer: Answer) -> Group:
    lines = [Text(answer.sentence)]
    for match in answer.matches:
        rule = match.rule
        lines += [Text(""), Text(f"To {rule.task}: {rule.tool}. {rule.reason}"), Text(f"Go to {rule.place.in_words}.")]
    return Group(*lines)
