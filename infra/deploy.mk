# Included by the Makefile. PARAMETERS="Name=value …" are template.yaml's; docs/operations.md shows how.
STAGE ?=
PARAMETERS ?=
TABLES ?= keep
TOOLS := $(VENV)/deploy
.PHONY: deploy destroy setup-deploy check-templates sam-local

deploy: setup setup-deploy ## put STAGE=… into an AWS account; PARAMETERS="Domain=… …"
	@$(TOOLS)/bin/python infra/deploy.py deploy "$(STAGE)" $(PARAMETERS)

destroy: setup setup-deploy ## take STAGE=… away again; TABLES=delete its data, too
	@$(TOOLS)/bin/python infra/deploy.py destroy "$(STAGE)" "$(TABLES)"

check-templates: setup setup-deploy ## lint, policies, build and content of the templates
	@sh infra/check.sh $(TOOLS)

sam-local: setup-dev setup-deploy ## invoke every function in Docker, by `sam local invoke`; FUNCTIONS="…"
	@$(PY) -m tests.sam_local $(FUNCTIONS)

setup-deploy: $(VENV)/.deploy
$(VENV)/.deploy: $(VENV)/.uv requirements/deploy.txt
	@echo "installing the tools for deployments"
	@$(VENV)/bin/uv venv -q --allow-existing --python $(PY) $(TOOLS)
	@$(UV) --python $(TOOLS)/bin/python -r requirements/deploy.txt && touch $@

# Called by `sam build`.
build-Dependencies:
	@sh infra/package.sh dependencies "$(ARTIFACTS_DIR)"
build-%:
	@sh infra/package.sh code "$(ARTIFACTS_DIR)"
