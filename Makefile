# The commands of the README. What they make lies in .venv and in the collection's own folder.
PYTHON ?= python3
PORT ?= 3000
BIN := .venv/bin

.PHONY: demo test up review explore report faults bench bench-full materialise export lint clean
.DEFAULT_GOAL := demo

# A stamp: younger than both lists of packages means that all of them are installed.
$(BIN)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(BIN)/.installed
	$(BIN)/python -m megafish_assets demo

# Paths are meant from where the person stands, which $(PWD) tells also after `make -C`.
materialise: $(BIN)/.installed
	cd "$(PWD)" && "$(CURDIR)/$(BIN)/python" -m megafish_assets materialise $(if $(FROM),--from $(FROM)) $(if $(TRUST),--trust $(TRUST))

# The sheets on which fish are named, and all that they are made from; the last line is the page to open.
review: $(BIN)/.installed
	cd "$(PWD)" && "$(CURDIR)/$(BIN)/python" -m megafish_assets review

up: $(BIN)/.installed
	cd "$(PWD)" && "$(CURDIR)/$(BIN)/python" -m megafish_assets up --port $(PORT)

explore: $(BIN)/.installed
	cd "$(PWD)" && "$(CURDIR)/$(BIN)/python" -m megafish_assets explore

report: $(BIN)/.installed
	cd "$(PWD)" && "$(CURDIR)/$(BIN)/python" -m megafish_assets report

# Files for other programs, all that can be written, or those of NAMES="spreadsheet ...".
export: $(BIN)/.installed
	cd "$(PWD)" && "$(CURDIR)/$(BIN)/python" -m megafish_assets export $(NAMES)

lint: $(BIN)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The table of faults in full: 20 killed workers instead of CI's two, 10,000 tables made at random instead of 500, half a
# million labels instead of 20,000.
faults: $(BIN)/.installed
	MEGAFISH_TEST_KILLS=20 $(BIN)/python -m pytest -m "faults or not faults" megafish_assets_tests/test_survival.py
	MEGAFISH_TEST_TABLES=10000 $(BIN)/python -m pytest megafish_assets_tests/detections/test_faults.py
	$(BIN)/python -m pytest -m faults megafish_assets_tests/labels

# Every stage beside the notebook's way; writes the tables of docs/benchmarks.md.
bench: $(BIN)/.installed
	$(BIN)/python -m benchmarks all

bench-full: $(BIN)/.installed
	$(BIN)/python -m benchmarks full

# Two at a time, a module's tests together, which share what they have made; a thread each, or they share two cores too.
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

clean:
	rm -rf .venv data/demo
