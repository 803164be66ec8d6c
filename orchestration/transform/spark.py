"""Spark itself: what has to be there for it, its session in this process, and how dbt reaches it. What is read and written on it is not
said here.
"""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING, Any

from orchestration.errors import ConfigurationError
from orchestration.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: How the address of a Spark elsewhere begins.
CONNECT = "sc://"

#: What the models rest on, whatever ``spark_properties`` say.
NEEDED = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
}
#: What a session of this process has unless ``spark_properties`` say otherwise.
USUAL = {
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.adaptive.enabled": "true",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def check_requirements(settings: Settings) -> None:
    """Raises ConfigurationError with the remedy where the models shall run on Spark and something for it is missing."""
    if settings.target != "spark":
        return
    if any(importlib.util.find_spec(package) is None for package in ("dbt.adapters.spark", "pyspark")):
        raise ConfigurationError(
            "target is spark, and the packages for it are not installed: install them with `pip install 'nightly-segments[spark]'`, "
            "or say `target: duckdb` in settings.yml."
        )
    if not settings.spark.startswith(CONNECT) and shutil.which("java") is None:
        raise ConfigurationError(
            "target is spark, and there is no Java on this machine: install Java 17 or newer so that `java` is found, name a Spark elsewhere "
            "with `spark:`, or say `target: duckdb` in settings.yml."
        )


def session_of(settings: Settings) -> SparkSession:
    """The session of this process, begun if there is none; it lives as long as the process."""
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    # It writes the words of errors to the terminal, and they quote values.
    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True
    builder = SparkSession.builder.appName("nightly-segments")
    if settings.spark.startswith(CONNECT):
        builder = builder.remote(settings.spark)
        properties = settings.spark_properties | NEEDED
    else:
        builder = builder.master(settings.spark)
        properties = USUAL | settings.spark_properties | NEEDED
    for name, value in properties.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    if not settings.spark.startswith(CONNECT):
        session.sparkContext.setLogLevel("OFF")
    return session


def spark_output(settings: Settings) -> dict[str, Any]:
    """The output of dbt's profile."""
    return {"type": "spark", "method": "session", "host": "here", "schema": "main", "threads": settings.threads}
