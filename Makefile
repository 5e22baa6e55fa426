# Two commands do everything on a machine with Python 3.11+ and make: `make demo` and `make test`.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
WORKERS := $(VENV)/workers
# Tests of one file share what it makes. The first files mostly wait for processes of their own: three on two cores.
SIDE_BY_SIDE := --numprocesses=3 --dist=loadfile --no-loadscope-reorder
export RESONATE_HOME ?= $(CURDIR)/studio
export DAGSTER_HOME ?= $(RESONATE_HOME)/dagster_home

.PHONY: demo dev workers test check snapshots constraints clean

## demo: process the demo song (or TRACK=song.mp3) through all stages, and tell what was made and where
demo: $(VENV)/base
ifdef TRACK
	$(BIN)/resonate process "$(TRACK)"
else
	$(BIN)/resonate demo
endif

## dev: Dagster's web UI on http://127.0.0.1:3000; drop files into studio/inbox
dev: $(VENV)/base
	$(BIN)/resonate prepare
	$(BIN)/dagster instance migrate
	$(BIN)/dagster dev --host 127.0.0.1 --workspace workspace.yaml

## workers: the environments of models that can't share one: RoFormer, MDX-Net and VR, by audio-separator
workers: $(WORKERS)/audio-separator/made

## test: everything the tests need, then the tests
test: $(VENV)/dev workers
	$(BIN)/python -m resonate_tests.programs
	OMP_NUM_THREADS=1 $(BIN)/pytest $(SIDE_BY_SIDE) --cov --cov-report=term:skip-covered $(PYTEST)

## check: lint, format, types, the arrows between packages, and the definitions
check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/dg check defs

## snapshots: accept the definitions as they are now
snapshots: $(VENV)/dev
	$(BIN)/pytest resonate_tests/assets/test_definitions.py --snapshot-update

## constraints: pin what is installed now, for everyone
constraints: $(VENV)/dev
	$(BIN)/python -m pip freeze --exclude-editable | grep -v -e '^-e' -e ' @ ' -e '^basic-pitch==' | sed 's/+cpu$$//' > constraints.txt

$(VENV)/pip: Makefile
	$(PYTHON) -c 'import sys; sys.exit("Resonate needs Python 3.11 to 3.13") if not (3, 11) <= sys.version_info < (3, 14) else None'
	$(PYTHON) -m venv $(VENV)
	touch $@

# basic-pitch goes in without its dependencies: they would bring TensorFlow; what its model needs is in pyproject.toml.
$(VENV)/base: $(VENV)/pip pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	$(BIN)/python -m pip install --quiet --no-deps basic-pitch==0.4.0
	touch $@

# torch first and by itself: resolved as another package's dependency it would be a build with gigabytes of CUDA.
$(VENV)/dev: $(VENV)/base
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[models,postgres,dev]'
	touch $@

# torch first and by itself, as above.
$(WORKERS)/audio-separator/made: $(VENV)/pip resonate_resources/models/workers/audio_separator.txt
	$(BIN)/python -m venv $(WORKERS)/audio-separator
	$(WORKERS)/audio-separator/bin/python -m pip install --quiet torch==2.13.0
	$(WORKERS)/audio-separator/bin/python -m pip install --quiet --requirement resonate_resources/models/workers/audio_separator.txt
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
