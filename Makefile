# Everything a person does with this checkout. `make` alone lists it; nothing but python3 (3.11 or
# newer, with venv and pip) and make has to be there first.

PYTHON ?= python3
# Flags for the command that a target ends in: make serve ARGS='--port 9000'
ARGS ?=

PIP := .venv/bin/python -m pip --disable-pip-version-check --quiet
# Python compiles what is imported, and keeps it; most of what is installed never is.
INSTALL := install --no-compile --no-warn-script-location

# Where Python keeps what it compiles, the commands and tests below start in half the time.
unexport PYTHONDONTWRITEBYTECODE

# A process for each core; one that has run out of tests takes over some of another's.
PYTEST := .venv/bin/python -m pytest --quiet --numprocesses auto --dist worksteal

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
.PHONY: help serve quick test coverage check clients soak fuzz golden golden-check readme config-fields test-torch bench train-sentiment train-zero-shot train-ner need-data size lock sbom security environments clients-install faults clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

environments: clients-install .venv-reference/.installed .venv-older-reference/.installed ## make all that .ci/run needs: make -j2 environments

serve: .venv/.installed ## start the server with the model in the box on 127.0.0.1:8080
	@.venv/bin/earmark serve $(ARGS)

quick: check ## what a change is tried with: style, types, floors and the unit tests
	@echo "== unit tests"
	@$(PYTEST) tests/unit $(ARGS)

test: check ## check the style, the types and the floors, then run every test
	@echo "== tests"
	@$(PYTEST) $(ARGS)

coverage: check ## the same, and say which lines no test runs
	@echo "== tests"
	@$(PYTEST) --cov --cov-branch --cov-report=term $(ARGS)

check: .venv/.installed-dev ## check the style, the types and the floors
	@echo "== format"
	@.venv/bin/ruff format --check --quiet . || { echo "to mend it: .venv/bin/ruff format ."; exit 1; }
	@echo "== style"
	@.venv/bin/ruff check --quiet .
	@echo "== types"
	@.venv/bin/mypy
	@echo "== floors"
	@.venv/bin/lint-imports

clients: .venv/.installed-dev ## run official clients of several versions against one server
	@PYTHONPATH=tests .venv/bin/python -m clients

soak: .venv/.installed-dev ## a mixed load for 20 minutes; fails where a process keeps growing: make soak ARGS='--minutes 2'
	@PYTHONPATH=tests .venv/bin/python -m soak $(ARGS)

fuzz: .venv/.installed-dev ## send a million hostile requests to every address of a running server
	@PYTHONPATH=tests .venv/bin/python -m fuzz $(ARGS)

clients-install: .venv/.installed-dev ## only install these clients
	@PYTHONPATH=tests .venv/bin/python -m clients --install

golden: .venv-reference/.installed .venv-older-reference/.installed ## recompute the golden files with transformers, and rewrite them
	@PYTHONPATH=tests .venv-reference/bin/python -m golden.regenerate
	@PYTHONPATH=src:tests .venv-older-reference/bin/python -m golden.regenerate
	@PYTHONPATH=tests .venv-reference/bin/python -m golden.activation_values
	@PYTHONPATH=tests .venv-reference/bin/python -m golden.config_fields
	@PYTHONPATH=src:tests .venv-older-reference/bin/python -m golden.config_fields

golden-check: .venv-reference/.installed .venv-older-reference/.installed ## recompute the golden files, and compare
	@PYTHONPATH=tests .venv-reference/bin/python -m golden.regenerate --check
	@PYTHONPATH=src:tests .venv-older-reference/bin/python -m golden.regenerate --check

test-torch: .venv-reference/.installed ## test what runs through PyTorch
	@.venv-reference/bin/python -m pytest --quiet tests/pytorch $(ARGS)

readme: .venv/.installed-dev ## write README's table of architectures from the registry
	@PYTHONPATH=tests .venv/bin/python -m support.readme_table

config-fields: .venv/.installed-dev ## write docs/config-fields.md from the tables of the architectures
	@PYTHONPATH=tests .venv/bin/python -m support.config_fields_doc

security: .venv/.installed-dev ## write the tables of docs/security.md from the code
	@PYTHONPATH=tests .venv/bin/python -m support.security_bounds

faults: .venv/.installed-dev ## test what goes wrong around the server at full size, and print the figures (ARGS=--write: into docs/operating.md)
	@PYTHONPATH=tests .venv/bin/python -m faults $(ARGS)

bench: .venv-bench/.installed ## measure against transformers behind FastAPI
	@.venv-bench/bin/python -m bench $(ARGS)

train-sentiment: need-data .venv-train/.installed ## train the model in the box: make train-sentiment DATA=folder
	@.venv-train/bin/python -m training.sentiment --data $(DATA) --out src/earmark/checkpoint/models/sentiment $(ARGS)

train-zero-shot: need-data .venv-train/.installed ## train the model of zero-shot in the box: make train-zero-shot DATA=folder
	@.venv-train/bin/python -m training.zero_shot --data $(DATA) --out src/earmark/checkpoint/models/zero-shot $(ARGS)

train-ner: need-data .venv-train/.installed ## train the model of names: make train-ner DATA=folder
	@.venv-train/bin/python -m training.ner --data $(DATA) --out src/earmark/checkpoint/models/ner $(ARGS)

need-data:
	@test -n "$(DATA)" || { echo "say where the data is: make $(firstword $(MAKECMDGOALS)) DATA=folder"; exit 2; }

size: ## measure what the run-time install weighs
	@$(PYTHON) bench/install_size.py

lock: .venv-supply/.installed ## write requirements.lock: what a run-time install is made of, with hashes; ARGS=--upgrade for newer releases
	@.venv-supply/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements.lock $(ARGS)

sbom: .venv-supply/.installed .venv-locked/.installed ## write build/earmark.cdx.json: the bill of materials (CycloneDX) of an install of requirements.lock
	@mkdir -p build
	@.venv-supply/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible --output-format JSON --output-file build/earmark.cdx.json $(ARGS) .venv-locked/bin/python
	@echo "build/earmark.cdx.json"

clean: ## remove what these commands made: virtual environments and caches
	rm -rf .venv .venv-* fuzz-failures .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests training bench -name __pycache__ -prune -exec rm -rf {} +

# Each environment is made once, and again when pyproject.toml changes: the stamp is newer then.
# The pip of .venv fills them all, so that the others need none.
.venv/.pip:
	@$(call make-venv,.venv)
	@$(PIP) $(INSTALL) --upgrade 'pip>=25.1' # the first that knows --group
	@touch $@

.venv/.installed: pyproject.toml | .venv/.pip
	@echo "Installing earmark into .venv (once; about 105 MB to download)"
	@$(PIP) $(INSTALL) --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed
	@echo "Installing the development tools into .venv (once)"
	@$(PIP) $(INSTALL) --group dev --editable .
	@touch $@

# Without earmark, which needs a newer huggingface-hub than this release of transformers takes.
.venv-older-reference/.installed: pyproject.toml | .venv/.pip
	@$(call make-venv,.venv-older-reference,--without-pip)
	@echo "Installing transformers 4.57.1 into .venv-older-reference (once; PyTorch is large)"
	@$(PIP) --python .venv-older-reference/bin/python $(INSTALL) --group older-reference
	@touch $@

# Without earmark: what these tools need themselves is no part of what they list.
.venv-supply/.installed: pyproject.toml | .venv/.pip
	@$(call make-venv,.venv-supply,--without-pip)
	@echo "Installing uv and cyclonedx-bom into .venv-supply (once)"
	@$(PIP) --python .venv-supply/bin/python $(INSTALL) --group supply
	@touch $@

# As an image is made: nothing that is not in the lock file, and nothing whose hash is another.
.venv-locked/.installed: requirements.lock pyproject.toml | .venv/.pip
	@$(call make-venv,.venv-locked,--without-pip)
	@echo "Installing requirements.lock and earmark into .venv-locked (once; about 105 MB to download)"
	@$(PIP) --python .venv-locked/bin/python $(INSTALL) --require-hashes --requirement requirements.lock
	@$(PIP) --python .venv-locked/bin/python $(INSTALL) --no-deps .
	@touch $@

.venv-%/.installed: pyproject.toml | .venv/.pip
	@$(call make-venv,.venv-$*,--without-pip)
	@echo "Installing earmark and the group '$*' into .venv-$* (once; PyTorch is large)"
	@$(PIP) --python .venv-$*/bin/python $(INSTALL) --group $* --editable .
	@touch $@

# make-venv FOLDER,OPTION: make a virtual environment, or say in one line why not.
define make-venv
command -v $(PYTHON) > /dev/null || { echo "earmark needs Python 3.11 or newer, and there is no $(PYTHON) here; name one: make PYTHON=python3.12"; exit 1; }; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { echo "earmark needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1 | head -n 1); name another: make PYTHON=python3.12"; exit 1; }; \
test -x $(1)/bin/python || $(PYTHON) -m venv $(2) $(1)
endef
