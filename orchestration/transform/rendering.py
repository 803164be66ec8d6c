"""The SQL of a segment that no night has compiled, with the project's macros and variables in place: what dbt would make of it, in a moment.

It knows what segments are written with: ``ref``, ``var`` and the macros. A macro that runs queries, or asks dbt for more, is not for segments.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import yaml
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from orchestration.errors import ConfigurationError, DraftRefused, nearest
from orchestration.transform.project import PROJECT_DIR


def render(written: str, variables: Mapping[str, object], project_dir: Path = PROJECT_DIR) -> str:
    """The SQL that is ``written`` with Jinja; ``variables`` stand in the place of the project's own.

    Raises DraftRefused where it names what the project does not have, and where a macro refuses what it is given.
    """
    given = _given(project_dir, variables)
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    try:
        macros = environment.from_string(_macros(project_dir), globals=given).module
        known = given | {name: value for name, value in vars(macros).items() if not name.startswith("_")}
        return environment.from_string(written, globals=known).render()
    except TemplateSyntaxError as wrong:
        raise DraftRefused(f"Line {wrong.lineno} is not Jinja that can be read: {_said(wrong)}") from wrong
    except UndefinedError as unknown:
        raise DraftRefused(f"The project does not have what is asked for: {_said(unknown)}") from unknown
    except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError) as wrong:
        raise DraftRefused(f"What stands between {{{{ and }}}} cannot be worked out: {_said(wrong)}") from wrong


def _said(wrong: Exception) -> str:
    said = wrong.message if isinstance(wrong, TemplateError) else str(wrong)
    return f"{(said or type(wrong).__name__).rstrip('.')}."


def _given(project_dir: Path, variables: Mapping[str, object]) -> dict[str, Any]:
    known: dict[str, object] = yaml.safe_load((project_dir / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    known |= variables

    def var(name: str) -> object:
        if name not in known:
            raise DraftRefused(f"There is no variable {name}; {nearest(name, known)}")
        return known[name]

    def ref(name: str) -> str:
        models = {file.stem: file for file in (project_dir / "models").rglob("*.sql")}
        if name not in models:
            raise DraftRefused(f"There is no model {name}; {nearest(name, models)}")
        # A model's schema is the layer that it lives in.
        return f"{models[name].relative_to(project_dir / 'models').parts[0]}.{name}"

    def config(**_: object) -> str:
        return ""

    return {
        "var": var,
        "ref": ref,
        "config": config,
        "exceptions": {"raise_compiler_error": _refuse},
        "adapter": {"dispatch": _of_duckdb},
    }


@pass_context
def _of_duckdb(context: Context, macro: str) -> Any:
    """The macro as DuckDB, which releases are asked with, has it."""
    return context[f"duckdb__{macro}"]


def _refuse(sentence: str) -> NoReturn:
    raise ConfigurationError(sentence)


def _macros(project_dir: Path) -> str:
    """All macros as one text: each may call every other."""
    files = sorted((project_dir / "macros").rglob("*.sql"))
    return _read(tuple((file, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=4)
def _read(files: tuple[tuple[Path, int], ...]) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file, _ in files)
