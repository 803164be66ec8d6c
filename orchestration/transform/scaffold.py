"""Writes the first version of a segment's two files, and its line in the membership model's list."""

from __future__ import annotations

import re
from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.transform.project import PROJECT_DIR

SQL = """select as_of_date, customer_id
from {{{{ ref('dim_customers') }}}}
where orders_last_90_days > 0
"""

YAML = """models:
  - name: {name}
    description: >
      Customers who … Say the boundaries too: which day, which amount is still inside. One row per member and as-of date.
    config:
      meta:
        label: {label}
        objective: What marketing wants of them
        owner: marketing
        channel: email
        family: purchases
"""


def scaffold(name: str, project_dir: Path = PROJECT_DIR) -> list[Path]:
    """Writes ``<name>.sql`` and ``<name>.yml`` under ``models/segments`` and lists the segment; gives the files touched.

    Raises ConfigurationError, with nothing written, where the name cannot be a table's or is taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ConfigurationError(
            f"{name!r} cannot be a segment's name: use lower-case letters, digits and underscores, a letter first."
        )
    if taken := list((project_dir / "models").rglob(f"{name}.sql")):
        raise ConfigurationError(f"The name {name} is taken by {taken[0]}.")
    folder, listed = project_dir / "models" / "segments", project_dir / "models" / "metrics" / "segment_membership.sql"
    sql, words = folder / f"{name}.sql", folder / f"{name}.yml"
    sql.write_text(SQL.format(name=name), encoding="utf-8")
    words.write_text(YAML.format(name=name, label=name.replace("_", " ").capitalize()), encoding="utf-8")
    listed.write_text(_with_line(listed.read_text(encoding="utf-8"), name), encoding="utf-8")
    return [sql, words, listed]


def _with_line(model: str, name: str) -> str:
    """The model with the segment in its list, which stays in order."""
    start, end = model.index("[\n") + 2, model.index("] %}")
    names = sorted({*re.findall(r"'(\w+)'", model[start:end]), name})
    return model[:start] + "".join(f"    '{listed}',\n" for listed in names) + model[end:]
