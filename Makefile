# polku: what people type. `make` shows this list.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Test processes side by side. More than cores: tests mostly wait for processes that they start.
WORKERS ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where it is set, each of the many processes compiles every module of ours anew, for a third of a second.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run install install-dev install-bench test check fix bench faults soak docs env compose-test lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: install ## a lead and five nodes with synthetic people, on 127.0.0.1:8400 to 8405
	$(BIN)/polku demo

install: $(VENV)/.installed ## the .venv with locked dependencies; does nothing when it is current

$(VENV)/.installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

install-dev: $(VENV)/.installed-dev

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

install-bench: $(VENV)/.installed-bench

$(VENV)/.installed-bench: requirements-bench.lock $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-bench.lock
	touch $@

test: install-dev ## the whole suite; installs RabbitMQ, PostgreSQL, Chromium and promtool where it may
	deploy/ensure-servers
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: install-dev ## lint, format, types, import rules; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: install-dev ## what of `check` a machine can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install-bench ## benchmarks, side by side in one run; prints ratios, writes build/bench/*.json
	deploy/ensure-servers
	$(BIN)/python -m tests.bench

faults: install-dev ## the fault tests, then the fault campaign on both footings; prints counters, writes build/faults/
	deploy/ensure-servers
	POLKU_KILLS=30 $(BIN)/python -m pytest tests/faults -s
	$(BIN)/python -m tests.faults.bench --profile full
	$(BIN)/python -m tests.faults.bench --profile campaign

soak: install-dev ## an hour of schedules, faults and random bad input; prints one table, writes build/soak/
	deploy/ensure-servers
	$(BIN)/python -m tests.soak

docs: install ## write the documents that are made from declarations: contracts, AsyncAPI, metrics
	$(BIN)/polku docs

env: ## writes .env with generated secrets for docker-compose.yml, once
	@$(PYTHON) deploy/make_env.py

compose-test: install-dev ## the whole way in containers (about 5 minutes); COMPOSE names another docker compose
	$(BIN)/python -m tests.compose

lock: ## lock dependencies anew, with hashes (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q requirements.in -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q requirements-dev.in \
		-c requirements.lock -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q requirements-bench.in \
		-c requirements.lock -c requirements-dev.lock -o requirements-bench.lock

clean: ## remove what was built; homes in var/ stay
	rm -rf $(VENV) build *.egg-info
