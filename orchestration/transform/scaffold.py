"""A segment's two files and its line in the membership model's list: as a scaffold to be filled in, or as somebody tried it out."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from orchestration.errors import ConfigurationError
from orchestration.transform.project import PROJECT_DIR

SQL = """select as_of_date, customer_id
from {{ ref('dim_customers') }}
where orders_last_90_days > 0
"""

YAML = """models:
  - name: {name}
    description: {description}
    config:
      meta:
        label: {label}
        objective: {objective}
        owner: {owner}
        channel: {channel}
        family: {family}
"""


@dataclass(frozen=True)
class Words:
    """What a segment's YAML says of it, besides its name."""

    label: str
    description: str = "Customers who … Say the boundaries too: which day, which amount is still inside. One row per member and as-of date."
    objective: str = "What marketing wants of them"
    owner: str = "marketing"
    channel: str = "email"
    family: str = "purchases"


def rules_written(project_dir: Path = PROJECT_DIR) -> dict[str, Path]:
    """The SQL files of the project's segments, by name."""
    return {file.stem: file for file in sorted((project_dir / "models" / "segments").glob("*.sql"))}


def is_checkout(project_dir: Path = PROJECT_DIR) -> bool:
    """Whether what is written into the project can be committed there."""
    return (project_dir.parent / ".git").exists()


def scaffold(name: str, project_dir: Path = PROJECT_DIR, sql: str = SQL, words: Words | None = None) -> list[Path]:
    """Writes the files of a new segment under ``models`` and gives the files touched.

    Raises ConfigurationError, with nothing written, as ``files_of`` does.
    """
    files = files_of(name, project_dir, sql, words)
    for file, text in files.items():
        file.write_text(text, encoding="utf-8")
    return list(files)


def files_of(name: str, project_dir: Path = PROJECT_DIR, sql: str = SQL, words: Words | None = None) -> dict[Path, str]:
    """The text of ``<name>.sql``, of ``<name>.yml`` and of the list with the segment in it, by file.

    Raises ConfigurationError where the name cannot be a table's or is taken, or a word is missing or would be worked out by dbt.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ConfigurationError(
            f"{name!r} cannot be a segment's name: use lower-case letters, digits and underscores, a letter first."
        )
    if taken := list((project_dir / "models").rglob(f"{name}.sql")):
        raise ConfigurationError(f"The name {name} is taken by {taken[0]}.")
    said = asdict(words or Words(label=name.replace("_", " ").capitalize()))
    if missing := [word for word, text in said.items() if not text.strip()]:
        raise ConfigurationError(f"{name} lacks {', '.join(missing)}: say it.")
    if worked_out := [word for word, text in said.items() if re.search(r"\{[{%#]", text)]:
        raise ConfigurationError(f"{', '.join(worked_out)} of {name} has signs of Jinja, which dbt would work out: leave them out.")  # fmt: skip
    folder, listed = project_dir / "models" / "segments", project_dir / "models" / "metrics" / "segment_membership.sql"
    return {
        folder / f"{name}.sql": sql,
        folder / f"{name}.yml": YAML.format(name=name, **{word: _scalar(text) for word, text in said.items()}),
        listed: _with_line(listed.read_text(encoding="utf-8"), name),
    }


def _scalar(text: str) -> str:
    """The text as YAML has it on one line, in quotes where it has to be."""
    [line] = yaml.safe_dump([" ".join(text.split())], allow_unicode=True, width=float("inf")).splitlines()
    return line.removeprefix("- ")


def _with_line(model: str, name: str) -> str:
    """The model with the segment in its list, which stays in order."""
    start, end = model.index("[\n") + 2, model.index("] %}")
    names = sorted({*re.findall(r"'(\w+)'", model[start:end]), name})
    return model[:start] + "".join(f"    '{listed}',\n" for listed in names) + model[end:]
