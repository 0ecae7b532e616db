# POSIX make and sh. On Windows: python -m venv .venv, then .venv\Scripts\pip install -e . (see README.md).

.PHONY: help pages run test test-slow lint format lock clean dev-environment

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/'

run: ## set up, then simulate 100,000 people for ten years into a fresh folder under runs/
	@python=$$(sh tools/find_python.sh) && "$$python" tools/setup_environment.py run
	@.venv/bin/fitss run --people 100000 --years 10

test: dev-environment ## set up, then the tests (PYTEST_ARGS="-n 2 -x tests/unit" to choose)
	@.venv/bin/python -m pytest $(PYTEST_ARGS)

test-slow: dev-environment ## the tests that take minutes
	@.venv/bin/python -m pytest -m slow $(PYTEST_ARGS)

lint: dev-environment ## style, types and layers
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

format: dev-environment ## rewrite the code in the project's style
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format .

lock: ## compile requirements/*.txt anew from pyproject.toml (UPGRADE=--upgrade for newer releases)
	@sh tools/lock.sh $(UPGRADE)

pages: dev-environment ## make docs/parameters.md, instruments.md, published_facts.md and knockouts.md anew, with their figures (minutes)
	@.venv/bin/fitss describe parameters --format md > docs/parameters.md
	@.venv/bin/fitss describe conditions --format md >> docs/parameters.md
	@.venv/bin/fitss describe instruments --format md > docs/instruments.md
	@.venv/bin/fitss describe reports --format md >> docs/instruments.md
	@rm -rf runs/pages
	@.venv/bin/fitss validate --quiet --out runs/pages/validation || true # 1: a fitted row is missed, as the page then says
	@cp runs/pages/validation/validation.md docs/published_facts.md
	@cp runs/pages/validation/validation.png docs/figures/validation.png
	@.venv/bin/fitss knockout --quiet --out runs/pages/knockout
	@cp runs/pages/knockout/knockout.md docs/knockouts.md
	@cp runs/pages/knockout/*.png docs/figures/

clean: ## remove .venv and what the tools left; runs/ stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

dev-environment:
	@python=$$(sh tools/find_python.sh) && "$$python" tools/setup_environment.py dev
