# make demo, make test and the rest set up what they need, once; stamps in
# .venv say what is done, so the second time starts at once.
#
#   make PYTHON=/path/to/python3.11 test    another interpreter
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := install --quiet --no-deps --require-hashes
UV_COMPILE := $(BIN)/uv pip compile --quiet --no-header --no-emit-index-url \
  --generate-hashes --universal --python-version 3.11
BUILD_LOCK := requirements/build.lock
DEV_LOCK := requirements/dev.lock
FUZZ_LOCK := requirements/fuzz.lock
# For each of the nine fuzzers.
FUZZ_SECONDS ?= 600
# Processes that share the tests; each takes up to 4 GB.
TEST_WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile
OD_API_LOCK := object_detection_patch/od_api/od_api.lock

# The OD API is written for Keras 2; whatever we start here gets it.
export TF_USE_LEGACY_KERAS := 1
# Beside TEST_WORKERS others a second thread only waits.
test test-all: export TF_NUM_INTRAOP_THREADS := 1
test test-all: export TF_NUM_INTEROP_THREADS := 1

.DELETE_ON_ERROR:
.PHONY: help setup demo compact test test-all test-odapi fuzz lint format lock clean

help:
	@echo "make demo        the whole way on drawn data, table at the end"
	@echo "make compact     COMPACT beside SPOTPATCH on nine tasks: 81 trainings"
	@echo "make test        tests but the slow ones    make test-all  all"
	@echo "make test-odapi  the OD API's own tests on today's packages"
	@echo "make fuzz        readers and appliers, FUZZ_SECONDS=600 each"
	@echo "make lint        ruff and mypy              make format    ruff"
	@echo "make setup       only the set-up            make clean     undo it"
	@echo "make lock        new lock files from pyproject.toml"

setup: $(VENV)/.od_api

demo: setup
	$(BIN)/od-patch demo --output_dir demo_output

compact: setup
	$(BIN)/od-patch decathlon run --suite mini --out_dir compact_output \
	  --experiments main compact --seeds 3 \
	  --methods FINE_TUNING SPOTPATCH COMPACT --variants late_5_4_budget_75
	$(BIN)/od-patch decathlon report compact_output

test: setup
	$(PYTEST) -m "not slow"

test-all: setup
	HYPOTHESIS_PROFILE=exploring $(PYTEST)

test-odapi: setup
	$(BIN)/python -m tests.od_api.run_od_api_tests

fuzz: $(VENV)/.fuzz
	$(BIN)/python tests/fuzz/run.py --seconds $(FUZZ_SECONDS)

lint: $(VENV)/.packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.packages
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.created:
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "make: a Python 3.11\
	 with the modules ensurepip and venv is needed (on Debian: apt-get\
	 install python3.11-venv), or make PYTHON=... for another one" >&2; \
	 exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

# setuptools first, so that packages without a wheel are built with the
# locked one instead of whatever an isolated build would fetch.
$(VENV)/.packages: $(VENV)/.created $(BUILD_LOCK) $(DEV_LOCK)
	@echo "Installing the locked packages: about 1 GB, a minute or more"
	$(PIP) $(LOCKED) -r $(BUILD_LOCK)
	$(PIP) $(LOCKED) --no-build-isolation -r $(DEV_LOCK)
	touch $@

# The lock holds no dependency of ours that pip would have to look for.
$(VENV)/.project: $(VENV)/.packages pyproject.toml setup.py \
  $(shell find protos -name '*.proto')
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.od_api: $(VENV)/.project $(OD_API_LOCK)
	$(BIN)/python -m object_detection_patch.od_api.install
	touch $@

# atheris, which only `make fuzz` needs.
$(VENV)/.fuzz: $(VENV)/.project $(FUZZ_LOCK)
	$(PIP) $(LOCKED) -r $(FUZZ_LOCK)
	touch $@

# relock: source, options, target
define relock
	{ echo "# Made from $(1) by \`make lock\`."; \
	  $(UV_COMPILE) $(1) $(2); } > $(3).partial
	mv $(3).partial $(3)
endef

# Takes the newest versions that pyproject.toml allows.
lock: $(VENV)/.packages
	$(call relock,requirements/build.in,--no-deps,$(BUILD_LOCK))
	$(call relock,requirements/od_api.in,--no-deps,$(OD_API_LOCK))
	$(call relock,requirements/fuzz.in,--no-deps,$(FUZZ_LOCK))
	$(call relock,pyproject.toml,--extra train --extra convert --extra sign --extra dev \
	  --constraint requirements/build.in \
	  --constraint requirements/constraints.txt \
	  --override requirements/overrides.txt,$(DEV_LOCK))

clean:
	rm -rf $(VENV) build dist demo_output *.egg-info .hypothesis \
	  object_detection_patch/tflite/native/build \
	  .mypy_cache .pytest_cache .ruff_cache \
	  object_detection_patch/protos/*_pb2.py
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
