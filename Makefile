# The three commands of the README. Everything that they make lies in .venv and under data/.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv/bin

# The collection that `ui` and `materialise` serve: the demo's, unless MEGAFISH_ROOT names another.
DEMO_ROOT := data/demo
MEGAFISH_ROOT ?= $(DEMO_ROOT)
MEGAFISH_PORT ?= 3000
export MEGAFISH_ROOT := $(abspath $(MEGAFISH_ROOT))
ifeq ($(MEGAFISH_ROOT),$(abspath $(DEMO_ROOT)))
export MEGAFISH_BACKBONES ?= reef_tiny
endif
export DAGSTER_HOME := $(CURDIR)
export MEGAFISH_DAGSTER_STORAGE := $(MEGAFISH_ROOT)/dagster

.PHONY: demo test ui materialise lint clean
.DEFAULT_GOAL := demo

# Named after what it holds, so that a changed list of packages installs again.
$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(VENV)/python || $(PYTHON) -m venv .venv
	$(VENV)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: export MEGAFISH_ROOT := $(abspath $(DEMO_ROOT))
demo: export MEGAFISH_DAGSTER_STORAGE := $(abspath $(DEMO_ROOT))/dagster
demo: export MEGAFISH_BACKBONES := reef_tiny
demo: $(VENV)/installed
	$(VENV)/python -m megafish_assets.reef $(DEMO_ROOT)
	$(VENV)/python -m megafish_assets

materialise: $(VENV)/installed
	$(VENV)/python -m megafish_assets

ui: $(VENV)/installed
	mkdir -p "$(MEGAFISH_DAGSTER_STORAGE)"
	$(VENV)/dagster-webserver -w workspace.yaml -h 127.0.0.1 -p $(MEGAFISH_PORT)

lint: $(VENV)/installed
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .

test: lint
	$(VENV)/python -m pytest

clean:
	rm -rf .venv $(DEMO_ROOT)
