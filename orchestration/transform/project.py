"""The dbt project as this home runs it: profile, variables, manifest. States no rule; a rule is SQL in
``dbt_project/``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from orchestration.errors import ConfigurationError, without_values
from orchestration.transform.spark import spark_output
from orchestration.warehouse import Warehouse, only_one_refresh

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.event_manager import IEventManager

PROJECT_DIR = Path(__file__).resolve().parents[2] / "dbt_project"
SEGMENT_TAG = "segment"

#: The project as dbt read it last in this process, by engine, with its fingerprint: dbt need not read it again for the next command. What dbt reads within
#: the first command it does not hand out (None), and most nights have no other.
_parsed: dict[str, tuple[str, Manifest | None]] = {}

#: The outputs of the profile: the warehouse; a warehouse without rows, from which the tables that Spark built take their form; Spark.
DUCKDB, FORMS, SPARK = "duckdb", "forms", "spark"


@dataclass(frozen=True)
class DbtProjectOfHome:
    """Where dbt finds its profile, keeps its artifacts, and with which variables it runs; everything of it lies in
    ``<home>/dbt``.
    """

    warehouse: Warehouse
    project_dir: Path = PROJECT_DIR

    @property
    def profiles_dir(self) -> Path:
        return self.warehouse.home.dbt

    @property
    def target_dir(self) -> Path:
        return self.warehouse.home.dbt / "target"

    @property
    def manifest_path(self) -> Path:
        """Our own copy: dbt writes its own anew at every build, and a run may be killed in the middle of that."""
        return self.warehouse.home.dbt / "manifest.json"

    @property
    def forms(self) -> Path:
        """A warehouse without rows, of the same name, so that what is compiled for the one is right in the other."""
        return self.warehouse.home.dbt / FORMS / self.warehouse.path.name

    @property
    def variables(self) -> dict[str, Any]:
        """What ``var`` gives in the project: its own values, and the home's settings in their place."""
        own: dict[str, Any] = yaml.safe_load((self.project_dir / "dbt_project.yml").read_text())["vars"]
        return own | self.warehouse.settings.variables

    def run(self, command: str, *more: str, output: str = DUCKDB) -> dbtRunnerResult:
        """Runs a dbt command in this process, so that nothing of it outlives the run.

        dbt itself says nothing, to a terminal, a log or a file of results, for it quotes rows; the caller has the results. That the
        project can be read is for ``prepare`` to have found out; a second command may raise ConfigurationError where it cannot any more.
        """
        fingerprint, engine = self.fingerprint, SPARK if output == SPARK else DUCKDB
        known = _parsed.get(engine)
        if known is None or known[0] != fingerprint:
            _parsed[engine] = fingerprint, None
            return self._invoke(None, output, command, *more, "--no-write-json")
        return self._invoke(known[1] or self._parse(fingerprint, engine), output, command, *more, "--no-write-json")

    def _invoke(self, parsed: Manifest | None, output: str, *command: str) -> dbtRunnerResult:
        """Runs the command on the project as it was parsed, or has dbt parse it.

        The variables are the home's settings and never a date, so that dbt need not parse again tomorrow.
        """
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner
        from dbt_common.events import event_manager_client

        event_manager_client.ctx_set_event_manager(_nobody_listens())
        places = {
            "--project-dir": self.project_dir,
            "--profiles-dir": self.profiles_dir,
            "--target": output,
            "--target-path": self.target_dir if output != SPARK else self.target_dir / SPARK,
            "--log-path": self.profiles_dir / "logs",
            "--vars": json.dumps(self._variables_of(output)),
        }
        try:
            return dbtRunner(manifest=parsed).invoke(
                [
                    "--quiet",
                    "--log-level",
                    "none",
                    "--log-level-file",
                    "none",
                    *command,
                    *(str(word) for place in places.items() for word in place),
                ]
            )
        finally:
            # dbt would keep the warehouse open for as long as the process lives.
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]

    def _variables_of(self, output: str) -> dict[str, str]:
        variables = self.warehouse.settings.variables
        return variables | {"spark_tables": str(self.warehouse.home.spark)} if output == SPARK else variables

    def prepare(self) -> Path:
        """Writes the profile and the manifest where the project or the settings changed; returns the manifest's path.

        Raises ConfigurationError where dbt cannot read the project, and RefreshRunning where it changed and another
        refresh is at work with it.
        """
        fingerprint = self.fingerprint
        if not self._is_prepared(fingerprint):
            with only_one_refresh(self.warehouse.home):
                self._prepare(fingerprint)
        return self.manifest_path

    def manifest(self) -> dict[str, Any]:
        """What dbt knows of the project, as its manifest says it. It is shared: nobody changes it."""
        return _read_manifest(self.prepare(), self.fingerprint)

    def compiled(self) -> dict[str, str]:
        """The SQL of every model that a segment rests on, by name, as it runs when all is built anew.

        It is compiled again only when the project or the settings have changed; the plan of a run must then be in the warehouse. Raises
        ConfigurationError.
        """
        kept, fingerprint = self.profiles_dir / "compiled.json", self.fingerprint
        if kept.exists() and (known := json.loads(kept.read_text()))["fingerprint"] == fingerprint:
            return dict(known["models"])
        self.prepare()
        compiled = self.run("compile", "--full-refresh", "--select", f"+tag:{SEGMENT_TAG}")
        if not compiled.success:
            raise ConfigurationError(
                f"dbt cannot compile {self.project_dir}: {without_values(str(compiled.exception))}"
            )
        models = sql_of_models(compiled)
        unfinished = kept.with_suffix(".tmp")
        unfinished.write_text(json.dumps({"fingerprint": fingerprint, "models": models}))
        unfinished.replace(kept)
        return models

    @cached_property
    def fingerprint(self) -> str:
        """Of the project and of the settings that it is run with, as they were when this was first asked."""
        seen = hashlib.sha256(self._profile().encode())
        seen.update(json.dumps(self.warehouse.settings.variables).encode())
        for path in _sources(self.project_dir):
            seen.update(str(path.relative_to(self.project_dir)).encode())
            seen.update(path.read_bytes())
        return seen.hexdigest()

    @property
    def _stamp(self) -> Path:
        return self.warehouse.home.dbt / "prepared"

    def _is_prepared(self, fingerprint: str) -> bool:
        return self.manifest_path.exists() and self._stamp.exists() and self._stamp.read_text() == fingerprint

    def _prepare(self, fingerprint: str) -> None:
        self.target_dir.mkdir(parents=True, exist_ok=True)
        self._stamp.unlink(missing_ok=True)
        (self.profiles_dir / "profiles.yml").write_text(self._profile())
        self._parse(fingerprint, DUCKDB)
        unfinished = self.manifest_path.with_suffix(".tmp")
        shutil.copy(self.target_dir / "manifest.json", unfinished)
        unfinished.replace(self.manifest_path)
        self._stamp.write_text(fingerprint)

    def _parse(self, fingerprint: str, engine: str) -> Manifest:
        done = self._invoke(None, engine, "parse")
        if not done.success:
            raise ConfigurationError(f"dbt cannot read {self.project_dir}: {without_values(str(done.exception))}")
        parsed = cast("Manifest", done.result)
        _parsed[engine] = fingerprint, parsed
        return parsed

    def _profile(self) -> str:
        warehouse = self.warehouse
        settings = {"TimeZone": "UTC", "preserve_insertion_order": False}
        in_duckdb = {
            "type": "duckdb",
            "path": str(warehouse.path),
            "threads": warehouse.settings.threads,
            "config_options": {**warehouse.limits},
            "settings": settings,
        }
        outputs = {DUCKDB: in_duckdb}
        if warehouse.settings.target == SPARK:
            outputs |= {FORMS: in_duckdb | {"path": str(self.forms)}, SPARK: spark_output(warehouse.settings)}
        return yaml.safe_dump({"nightly_segments": {"target": DUCKDB, "outputs": outputs}})


@lru_cache(maxsize=1)
def _read_manifest(path: Path, fingerprint: str) -> dict[str, Any]:
    """The file's content, read once in a process: a home's manifest changes with the fingerprint of its project."""
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def _nobody_listens() -> IEventManager:
    """In place of dbt's messages, which it composes whether somebody reads them or not: a tenth of a small night."""
    from dbt_common.events.event_manager import EventManager

    class Silent(EventManager):
        def fire_event(self, *_: Any, **__: Any) -> None:
            pass

    return Silent()


def sql_of_models(done: dbtRunnerResult) -> dict[str, str]:
    """The compiled SQL of the models that a dbt command went through, by name."""
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.contracts.graph.nodes import ModelNode

    assert isinstance(done.result, RunExecutionResult)
    nodes = (result.node for result in done.result.results)
    return {node.name: str(node.compiled_code) for node in nodes if isinstance(node, ModelNode)}


def _sources(project_dir: Path) -> Sequence[Path]:
    kept = (
        path
        for folder in ("models", "macros", "materializations", "tests")
        for path in (project_dir / folder).rglob("*")
        if path.is_file()
    )
    return sorted([project_dir / "dbt_project.yml", *kept])
