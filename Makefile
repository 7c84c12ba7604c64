# `make run` and `make test` install what they need; `make help` lists the rest.

PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
# The environment of a server, for the checks that read it.
PRODUCTION := DEBUG=0 SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(50))") \
	PUBLIC_URL=https://texts.example.org ALLOWED_HOSTS=texts.example.org TRUSTED_PROXIES=10.0.0.0/8 \
	REDIS_URL=redis://127.0.0.1:1 DATABASE_URL=postgres://koinonia@127.0.0.1:1/koinonia \
	TELNYX_API_KEY=none TELNYX_PUBLIC_KEY=7zudnRBWQDnDyTRcr6VEJhu+V46RjzyDm1fn3lHG2Nc=

.DEFAULT_GOAL := help
.PHONY: help run setup test check format translations lock bench scale migrations-check chaos load cluster compat clients examples screenshots smoke audit sbom install-check

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | \
		while IFS="$$(printf '\t')" read -r name text; do printf '  make %-18s %s\n' "$$name" "$$text"; done

run: $(VENV)/.run ## Run the whole system on this machine (ARGS='--port 8080' goes to `manage.py up`)
	@$(MANAGE) up $(ARGS)

setup: $(VENV)/.test ## Create .venv with everything in it

test: $(VENV)/.test ## Run all but the long tests: on SQLite, then PostgreSQL, in real Chromium
	@scripts/chromium
	@scripts/test-programs
	@echo "== On SQLite"
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)
	@echo "== On PostgreSQL"
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --database=postgres -m "not chaos and not load and not compat and not any_database" $(ARGS)

check: $(VENV)/.test ## Check format, lint, types, import rules, system checks, migrations, OpenAPI, lock
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/lint-imports
	$(MANAGE) check
	@echo "manage.py check --deploy, as on a server"
	@$(PRODUCTION) $(MANAGE) check --deploy --fail-level WARNING
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) spectacular --validate --fail-on-warn --file /dev/null
	$(BIN)/python -m pytest -q tests/test_lock.py
	@PYTHON=$(PYTHON) scripts/audit

format: $(VENV)/.test ## Format the code, and apply the linter's fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

translations: $(VENV)/.test ## Renew the Spanish catalogues, and name the sentences that lack Spanish
	$(BIN)/python -m tests.translations

lock: ## Pin the dependencies of pyproject.toml again (needs uv)
	scripts/lock $(UV)

bench: $(VENV)/.test ## Run the benchmarks of bench/ (ONLY=bench_delivery.py, COMPARE=commit prints ratios)
	@COMPARE=$(COMPARE) scripts/bench $(ONLY) -- $(ARGS)

scale: $(VENV)/.test ## Time statements at 100,000 and 10,000,000 messages (11 GB; ARGS='--sizes 100000 1000000')
	$(BIN)/python bench/scale.py $(ARGS)

migrations-check: $(VENV)/.test ## Migrate a million messages beside readers and writers (ARGS='--messages 100000')
	$(BIN)/python bench/migrations_check.py $(ARGS)

chaos: $(VENV)/.test ## Run the long tests that kill processes and cut connections
	$(BIN)/python -m pytest -m chaos $(ARGS)
	$(BIN)/python -m pytest -m chaos --database=postgres $(ARGS)

load: $(VENV)/.test ## Run the long tests under load
	$(BIN)/python -m pytest -m load $(ARGS)
	$(BIN)/python -m pytest -m load --database=postgres $(ARGS)

cluster: $(VENV)/.test ## Break a deployment of several machines, in namespaces (root; ARGS='--minutes 20 --seed 7')
	$(BIN)/python -m tests.cluster $(ARGS)

install-check: $(VENV)/.test ## Follow the installation page in a bare Debian 12 (root, debootstrap; takes minutes)
	$(BIN)/python -m tests.install $(ARGS)

compat: ## Run the suites on every Python of this machine, with the newest Django each admits
	scripts/compat $(ARGS)

examples: $(VENV)/.test ## Record the examples of the OpenAPI schema from a running system
	$(BIN)/python -m tests.examples

clients: $(VENV)/.test ## Generate three clients from the OpenAPI schema and use them (needs java and node)
	$(BIN)/python -m tests.clients

screenshots: $(VENV)/.test ## Save pictures of the pages in docs/screenshots
	@scripts/chromium
	$(BIN)/python -m tests.screenshots

smoke: $(VENV)/.test ## Test a deployed system from outside (URL=…, SMOKE_USER, SMOKE_PASSWORD, SMOKE_TO)
	@$(BIN)/python -m tests.smoke "$(URL)"

audit: ## Look the pinned packages up among the known vulnerabilities (says so if it has no network)
	@PYTHON=$(PYTHON) scripts/audit

sbom: ## Print the bill of materials of the delivered packages (CycloneDX)
	@$(PYTHON) scripts/sbom

$(VENV)/.run: requirements.txt scripts/install
	@PYTHON=$(PYTHON) scripts/install $(VENV) requirements.txt
	@touch $@

$(VENV)/.test: requirements-test.txt scripts/install
	@PYTHON=$(PYTHON) scripts/install $(VENV) requirements-test.txt
	@touch $@
