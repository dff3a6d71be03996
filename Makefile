# Each target makes what it needs in .venv; nothing else has to be done first.
# PYTHON=/path/to/python3.12 chooses the interpreter; only the package index is asked for anything.

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench agreement torture docs venv clean

BIN := .venv/bin

help:
	@echo "make demo    see what Remit does, on a temporary store with two months of tickets and orders"
	@echo "make test    run the tests"
	@echo "make lint    style, types and the floors of the program"
	@echo "make bench   measure Remit beside its peers and write docs/performance.md; SIZE=small takes minutes, not hours"
	@echo "make agreement  ask durable-rules and CEL two million questions, and write down how often they differ"
	@echo "make torture    load, kill, cut off and rot real repositories; SIZE=full takes hours"
	@echo "make docs    write the reference pages anew"
	@echo "make venv    only prepare .venv; afterwards: .venv/bin/remit --help"
	@echo "make clean   remove .venv and what tools left behind"

demo: .venv/ready
	@$(BIN)/remit demo

test: .venv/ready-to-develop
	@$(BIN)/python -m pytest --numprocesses auto

lint: .venv/ready-to-develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# SIZE=small takes minutes and asks the small sizes only; without it every table is written, which takes hours.
bench: .venv/ready-to-measure
	@$(BIN)/python benchmarks/all.py --size $(or $(SIZE),full) --write docs/performance.md

agreement: .venv/ready-to-develop
	@$(BIN)/python tests/agreement.py --pairs 2000000 --write docs/agreement.md

torture: .venv/ready-to-develop
	@PYTHONPATH=tests $(BIN)/python -m torture --size $(or $(SIZE),medium) --page docs/reliability.md

docs: .venv/ready
	@$(BIN)/python docs/generate.py

venv: .venv/ready

# A stamp is touched last, so that an interrupted installation is taken up again.
.venv/ready: pyproject.toml setup.py .ci/prepare
	@.ci/prepare .
	@touch $@

.venv/ready-to-develop: pyproject.toml setup.py .ci/prepare
	@.ci/prepare ".[dev]"
	@touch .venv/ready $@

.venv/ready-to-measure: pyproject.toml setup.py .ci/prepare
	@.ci/prepare ".[dev,bench]"
	@touch .venv/ready .venv/ready-to-develop $@

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
