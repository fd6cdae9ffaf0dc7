# lambchat: `make help` lists what there is to do.
PROFILE ?= embedded
PORT ?= 8080
WS_PORT ?= 8081
DATA ?= .data/$(PROFILE)
LOG ?= normal
LOG_LEVEL ?= INFO
VENV := .venv
unexport PYTHONDONTWRITEBYTECODE# images set it; then each process compiles all that it imports
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv pip install -q --require-hashes
SOURCES := app.py chalicelib functions localstack tests bench infra
UP = -m localstack.emulator up --name lambchat --profile $(PROFILE) --template template.yaml \
	--static web --port $(PORT) --ws-port $(WS_PORT) --data $(DATA) --log $(LOG) --topic EVENTS \
	--parameter Stage=local --parameter KafkaBootstrap={kafka} --parameter LogLevel=$(LOG_LEVEL) \
	--init "$(PY) -m chalicelib.cli init --partitions 4" --health /v1/health --function-concurrency SendFunction=$(if $(filter full,$(PROFILE)),4,2) $(addprefix --preload ,aws_lambda_powertools confluent_kafka jwt ssl)
MARKS := $(if $(filter full,$(PROFILE)),,-m "not full" -n 2 --dist loadfile)# light enough for two at once
.PHONY: help run setup setup-dev test check fmt bench clean lock
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/'

run: setup ## start everything: PROFILE=embedded|full PORT=8080 WS_PORT=8081 DATA=.data/… ADMIN_PASSWORD=…
	@ADMIN_PASSWORD="$(ADMIN_PASSWORD)" exec $(PY) $(UP) $(ARGS)

setup: $(VENV)/.local ## install what `make run` needs
setup-dev: setup $(VENV)/.dev ## install what the tests need
$(VENV)/.uv: requirements/uv.txt
	@sh requirements/venv.sh $(VENV) && touch $@

$(VENV)/.local: $(VENV)/.uv requirements/local.txt requirements/ministack.txt
	@echo "installing packages"
	@$(UV) --python $(PY) -r requirements/local.txt
	@test -x $(VENV)/ministack/bin/python || $(VENV)/bin/uv venv -q --python $(PY) $(VENV)/ministack
	@$(UV) --python $(VENV)/ministack/bin/python -r requirements/ministack.txt && touch $@

$(VENV)/.dev: $(VENV)/.local requirements/dev.txt requirements/ministack_sam.txt
	@echo "installing the tools for tests"; $(UV) --python $(PY) -r requirements/dev.txt
	@$(UV) --python $(VENV)/ministack/bin/python -r requirements/ministack_sam.txt && touch $@

test: setup-dev ## run the tests; PROFILE=full also those that need Java
	@echo "testing, profile $(PROFILE)"
	@PROFILE=$(PROFILE) $(PY) -m pytest $(MARKS) $(ARGS)

check: setup-dev ## lint, types and unit tests, in less than a minute
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m mypy
	$(PY) -m pytest -q tests/unit

fmt: setup-dev ## format
	$(PY) -m ruff check -q --fix $(SOURCES); $(PY) -m ruff format -q $(SOURCES)

bench: setup-dev ## measure, on the full profile
	$(PY) -m bench.run

clean: ## forget local data
	rm -rf .data
lock: setup-dev ## renew the pinned dependencies
	sh requirements/lock.sh
include infra/deploy.mk
