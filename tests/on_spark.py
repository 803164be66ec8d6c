"""Homes whose dbt models run on Spark, and what a test needs for them: Java and the packages."""

from __future__ import annotations

import importlib.util
import shutil

import pytest

from orchestration.settings import Home

needs_spark = pytest.mark.skipif(
    shutil.which("java") is None or importlib.util.find_spec("pyspark") is None,
    reason="Spark needs Java and the packages of nightly-segments[spark]",
)

ON_SPARK = """target: spark
spark: local-cluster[2,1,1024]
threads: 4
spark_properties: {spark.sql.shuffle.partitions: 2, spark.sql.codegen.wholeStage: false, spark.executor.memory: 1g}
"""


def on_spark(home: Home) -> Home:
    """The home, with its models on a local cluster of two executors."""
    with (home.path / "settings.yml").open("a") as settings:
        settings.write(ON_SPARK)
    return home
