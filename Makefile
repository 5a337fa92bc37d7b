# Every command of this project. `make help` lists them; noxfile.py and .ci/run call the same ones.
#
# Works from a checkout of any name: tools/prepare builds what is needed under .cache/ and links the checkout there as
# ansible_collections/mailops/tls.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# Set on the command line: make readiness INVENTORY=hosts.yml FAIL_ON=fail
INVENTORY ?=
FAIL_ON ?= never
PROFILES ?=
REPORT_DIR ?= reports
CONFIG ?=
ARGS ?=
PYTHON ?=
export INVENTORY FAIL_ON PROFILES REPORT_DIR CONFIG PYTHON

VENV := .cache/venv/bin
LINT := .cache/lint/bin
PYTEST := $(VENV)/python -m pytest

.PHONY: help readiness test lint typing unit coverage gates sanity integration lab molecule browser \
        lab-up lab-down docs benchmark build clean prepare-run prepare-test

help:  ## List these commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  make readiness takes INVENTORY= (default: this machine), FAIL_ON=never|..., PROFILES=a,b, REPORT_DIR=reports,"
	@echo "  CONFIG=ansible.cfg and ARGS= for ansible-playbook. The others take ARGS= for their tool. PYTHON= names an interpreter."

prepare-run:
	@tools/prepare run

prepare-test:
	@tools/prepare venv

readiness: prepare-run  ## Is this machine (or INVENTORY=...) ready for the certificates of Exchange Online?
	@.cache/run/bin/python tools/readiness.py $(ARGS)

# Packages that cannot be installed are no reason to stop: pytest names the parts that need them.
test:  ## Everything: quality gates, unit, integration, lab, molecule, browser
	@tools/prepare apt || true
	@tools/prepare venv
	@$(PYTEST) tests $(ARGS)

lint: prepare-test  ## The quick checks: format, style, YAML, shell
	@$(PYTEST) tests/gates -k "ruff or yamllint or shellcheck or purity" $(ARGS)

typing: prepare-test  ## mypy --strict on what runs on the controller
	@$(PYTEST) tests/gates -k mypy $(ARGS)

unit: prepare-test  ## Unit tests
	@$(PYTEST) tests/unit $(ARGS)

coverage: prepare-test  ## Unit tests, and which lines they do not reach
	@$(PYTEST) tests/unit tests/vectors --cov=plugins --cov-report=term-missing:skip-covered $(ARGS)

gates: prepare-test  ## All quality gates: sanity, ansible-lint, galaxy-importer, documentation, ...
	@$(PYTEST) tests/gates $(ARGS)

sanity: prepare-test  ## ansible-test sanity with every ansible-core it is run for
	@$(PYTEST) tests/gates -k sanity $(ARGS)

integration: prepare-test  ## Tests that run Ansible against this machine, documented examples among them
	@$(PYTEST) tests/integration $(ARGS)

lab: prepare-test  ## Tests on hosts in network namespaces (root)
	@$(PYTEST) tests -m "lab and not molecule" $(ARGS)

molecule: prepare-test  ## Molecule scenarios on the lab (root)
	@$(PYTEST) tests -m molecule $(ARGS)

browser: prepare-test  ## The report in headless Chromium
	@$(PYTEST) tests -m browser $(ARGS)

lab-up: prepare-test  ## Bring the lab up and leave it up (root)
	@$(VENV)/python -m tests.lab up $(ARGS)

lab-down: prepare-test  ## Take the lab down without a trace
	@$(VENV)/python -m tests.lab down $(ARGS)

docs: prepare-test  ## Generate the pages of docs/ that are made from code
	@$(VENV)/python tools/generate_docs.py $(ARGS)

benchmark: prepare-test  ## The figures, measured side by side, most of them on a fleet in the lab (root)
	@$(VENV)/python -m tests.benchmark readiness $(ARGS)
	@$(VENV)/python -m tests.benchmark egress $(ARGS)
	@$(VENV)/python -m tests.benchmark trust $(ARGS)
	@$(VENV)/python -m tests.benchmark connectors $(ARGS)
	@$(VENV)/python -m tests.benchmark wire $(ARGS)

build: prepare-test  ## The tarball for Galaxy, in the checkout
	@$(VENV)/ansible-galaxy collection build --force $(ARGS)

clean:  ## Remove what these commands made: .cache, reports of tests, the tarball
	rm -rf .cache tests/output site .coverage mailops-tls-*.tar.gz
