"""What a person at the terminal sees of a run: our own sentences, on stderr; Dagster's events are for its web UI."""

import logging
import sys

import dagster as dg

#: The run config that chooses this logger; without it Dagster prints every event.
QUIET: dict[str, dict[str, dict[str, str]]] = {"loggers": {"console": {}}}

#: How the lines begin that dagster-dbt writes in the place of an asset's own.
DAGSTER_DBT = ("Running dbt", "Finished dbt", "Copying", "A dbt subsetted")


def _console(_: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("nightly_segments", level=logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_is_ours)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(step)-28s %(words)s", datefmt="%H:%M:%S"))
    logger.addHandler(handler)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    said = getattr(record, "dagster_meta", {})
    record.step = (said.get("step_key") or "").replace("__", "/")
    words = str(said.get("orig_message", record.msg))
    record.words = words
    return said.get("dagster_event") is None and not words.startswith(DAGSTER_DBT)


#: One line per sentence of the pipeline's own, on stderr.
console = dg.LoggerDefinition(_console, description="The sentences of the pipeline, without Dagster's events.")
