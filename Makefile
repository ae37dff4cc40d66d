# Everything that people and CI do with this repository. `make demo` and `make test` need nothing set up before.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11

.PHONY: demo test up faults bench bench-quick security deployment lint unit screenshots publish images lock clean

demo: $(VENV)/.ready ## run the main job on an embedded Kafka and PostgreSQL, and print what happened
	@$(RUN) -m deploy.local.demo

test: $(VENV)/.ready ## run every check; types are checked beside the tests
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/ruff check --quiet .
	@$(RUN) -m shared.contracts --check
	@$(RUN) -m deploy.openapi --check
	@$(VENV)/bin/mypy & types=$$!; $(VENV)/bin/pytest --quiet; tests=$$?; wait $$types && exit $$tests

unit: $(VENV)/.ready ## run what needs no running process: seconds
	@$(VENV)/bin/pytest --quiet -m "not stack" tests/unit tests/contract tests/architecture

up: $(VENV)/.ready ## keep the whole suite running on fixed ports
	@$(RUN) -m deploy.local.up

faults: $(VENV)/.ready ## kill everything in the middle of work on all four services (an hour)
	@$(VENV)/bin/pytest --quiet tests/campaign
	@$(RUN) -m faults.mutations --write
	@$(RUN) -m faults --services change_security --faults 60 --count 5000
	@$(RUN) -m faults --faults 490 --count 1500 --write

bench: $(VENV)/.ready ## measure against the hand-written baseline, and write docs/benchmarks.md (minutes)
	@$(RUN) -m bench --write
	@$(RUN) -m bench.matching
	@$(RUN) -m bench.formation
	@$(RUN) -m bench.advisory

bench-quick: $(VENV)/.ready ## measure CPU per notice alone (three minutes); FLAMES=folder draws flame graphs
	@$(RUN) -m bench --quick $(if $(FLAMES),--flames $(FLAMES))

security: $(VENV)/.ready ## try everyone's every right on a real broker, and write SECURITY-TESTS.md (a minute)
	@MATRIX=full SECURITY_REPORT=SECURITY-TESTS.md $(VENV)/bin/pytest --quiet tests/security

deployment: $(VENV)/.ready ## check the chart (Helm, kube-score), the documents (spectral) and the images (a Docker engine)
	@CI=true CI_NEEDS_ENGINE=true $(VENV)/bin/pytest --quiet tests/deployment

screenshots: $(VENV)/.ready ## take the README's screenshots of the console and of a desk (needs Chromium)
	@$(RUN) -m deploy.local.screenshots

publish: $(VENV)/.ready ## write the JSON Schemas, the AsyncAPI document and the OpenAPI documents
	@$(RUN) -m shared.contracts
	@$(RUN) -m deploy.openapi

images: $(VENV)/.ready ## build the image of each service and side, and its bill of materials (needs a Docker engine)
	@$(RUN) -m deploy.images

lock: $(VENV)/.ready ## resolve the dependencies anew
	@$(LOCK) --all-extras --group dev pyproject.toml --output-file requirements.lock
	@$(LOCK) --constraints requirements.lock pyproject.toml --output-file deploy/requirements.authority.lock
	@for extra in joint console access; do \
		$(LOCK) --constraints requirements.lock --extra $$extra pyproject.toml \
			--output-file deploy/requirements.$$extra.lock || exit 1; done

clean: ## remove what these commands made in this folder
	rm -rf $(VENV) .run .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.ready: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d; set PYTHON=" % sys.version_info[:2])'
	@echo "Installing what requirements.lock lists into $(VENV) (once) …"
	@$(PYTHON) -m venv $(VENV) || { echo "The module venv is missing (Debian: apt-get install python3-venv)"; exit 1; }
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv
	@$(VENV)/bin/uv pip install --quiet --require-hashes --python $(VENV)/bin/python -r requirements.lock
	@touch $@
