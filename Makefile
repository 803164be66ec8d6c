# Each target works on a fresh clone: it sets up .venv/ first, with Python 3.11 or newer.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# One more than there are processors, for tests wait a quarter of the time: for browsers, for other processes, for each other.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(1 + (os.cpu_count() or 1))')
export SEGMENTS_HOME ?= $(CURDIR)/.segments

.PHONY: help
help: ## print these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(BIN)/.ready ## make the environment in .venv/, as locked

$(BIN)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=…")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Half a gigabyte, and of no use without Java.
.PHONY: spark
spark: setup ## add what the models on Spark need, where there is Java
	@! command -v java >/dev/null || $(MAKE) --no-print-directory $(BIN)/.spark

$(BIN)/.spark: requirements-spark.lock $(BIN)/.ready
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements-spark.lock
	@touch $@

.PHONY: refresh
refresh: setup ## write the demo company's extracts, refresh the year 2017, show the segments
	@$(BIN)/segments demo
	@$(BIN)/segments refresh --from 2017-01-01 --to 2017-12-31

.PHONY: dev
dev: setup ## open Dagster's web UI and daemon on the home
	@$(BIN)/segments dev

.PHONY: app
app: setup ## open the web app on the home's release
	@$(BIN)/segments app

.PHONY: lint
lint: setup ## formatter, linters, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint dbt_project/models dbt_project/tests --disable-progress-bar

.PHONY: test
test: setup spark lint ## formatter, linters, types and every test; those of Spark where there is Java
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: drill
drill: setup ## plant each fault in a copy of a night, count false holds in 60 clean ones, renew docs/drill.md (slow)
	@$(BIN)/segments drill --nights 60 --page docs/drill.md

.PHONY: drill-demo
drill-demo: setup ## play the night on which an opt-in column goes missing, on a copy of the demo
	@$(BIN)/python -m orchestration.drill.opt_in_case

.PHONY: campaign-demo
campaign-demo: setup ## play three campaigns whose truth is known, on a copy of the demo
	@$(BIN)/python -m orchestration.drill.campaign_demo

.PHONY: bench
bench: setup bench-campaigns bench-personas ## time a night beside a hand-written script, score shifts and campaigns by simulation (slow)
	$(BIN)/python -m benchmarks.night --keep .bench
	$(BIN)/python -m benchmarks.pages .bench/pipeline
	$(BIN)/python -m benchmarks.growth
	$(BIN)/python -m benchmarks.new_segment
	$(BIN)/python -m benchmarks.checks
	$(BIN)/python -m benchmarks.shifts

.PHONY: bench-peers
bench-peers: setup ## the same night with other tools, those of them that are there: see benchmarks/README.md (slow)
	$(BIN)/python -m benchmarks.peers $(PEERS)

.PHONY: bench-campaigns
bench-campaigns: setup ## how often campaigns are judged wrongly, and how long a night of them takes (slow)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.campaigns
	$(BIN)/python -m benchmarks.campaign_night

.PHONY: bench-personas
bench-personas: setup ## how often the intervals of persona claims hold the truth, in customers made up
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.personas --repetitions 10000

.PHONY: lock
lock: ## renew the locks from pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--extra demo --extra dev pyproject.toml --output-file requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--extra spark --constraint requirements.lock pyproject.toml --quiet --output-file - \
		| awk '/^[a-z]/ { is_new = !($$1 in locked) } NR == FNR { locked[$$1]; next } is_new' requirements.lock - > requirements-spark.lock

.PHONY: clean
clean: ## remove the environment and the demo's home
	rm -rf .venv .segments .bench
