# Each command sets up what is missing. Python 3.11 to 3.14 is needed; name another with PYTHON=.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3.14; do \
	$$name -c '' 2>/dev/null && echo $$name && exit; done; echo python3)
BIN := .venv/bin

.PHONY: demo test check bench journeys pictures vllm lock messages format

# One simple command: make runs it without a shell, so that a signal to make reaches it.
demo:
	@$(PYTHON) -m config.bootstrap demo

test:
	@$(PYTHON) -m config.bootstrap test $(ARGS)

check:
	@$(PYTHON) -m config.bootstrap check $(ARGS)

bench:
	@$(PYTHON) -m config.bootstrap bench $(if $(ROW),--row $(ROW)) $(ARGS)

# Every walk and every page in every language, and at every size and setting: some ten minutes.
journeys:
	@$(PYTHON) -m config.bootstrap journeys $(ARGS)

# Every page in every state as a picture, into var/pictures: open its index.html.
pictures:
	@$(PYTHON) -m config.bootstrap pictures $(ARGS)

# vLLM on a host with a GPU: make vllm MODEL=... (docs/operating.md has the other variables).
vllm:
	@$(PYTHON) -m config.vllm

# The locks hold hashes and no address of a registry. `uv` is needed here, and nowhere else.
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header
lock:
	$(LOCK) --group demo -o requirements.lock
	$(LOCK) --group demo --group test --group bench -o requirements-dev.lock

messages:
	$(BIN)/python -m config.messages

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
