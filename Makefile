# Everything sets itself up: Python 3.11+ and make are enough.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
UV = .uv/bin/uv
RUN = .venv/bin/python -m

.PHONY: setup demo test check lint ask audit clean

setup: .venv/.ready  ## compiled too: where Trellis runs nothing can be written, and each start would compile all of it anew
	@.venv/bin/python -m compileall -q bot storage

$(UV):
	@test -n "$(PYTHON)" || { echo "Trellis needs Python 3.11 or newer; none was found on the PATH."; exit 1; }
	@$(PYTHON) -m venv .uv || { echo "Python can't make virtual environments here. On Debian: apt-get install python3-venv"; exit 1; }
	@.uv/bin/python -m pip install --quiet uv==0.13.9

.venv/.ready: $(UV) pyproject.toml uv.lock
	@$(UV) sync --quiet --locked --compile-bytecode --python $(PYTHON)
	@touch $@

demo: setup  ## the whole product on this machine: no Slack account, no key, no server
	@$(RUN) bot demo

test: setup  ## lint, layers, content and the whole test suite
	$(RUN) ruff check bot storage tests
	.venv/bin/lint-imports --no-cache
	$(RUN) bot content check
	-@.venv/bin/python .ci/audit.py  # tells of known holes; does not stop the tests
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || $(RUN) playwright install chromium >/dev/null 2>&1 \
		|| echo "Chromium is not here and can't be installed: the tests in a browser are left out."
	$(RUN) pytest -n 2 --dist loadfile
	$(RUN) pytest -n 2 --dist loadfile --database postgresql

check: setup  ## the content alone, as its authors do
	$(RUN) bot content check

lint: setup
	$(RUN) ruff check --fix bot storage tests
	$(RUN) ruff format bot storage tests

ask: setup  ## make ask Q="what can I do after housekeeping"
	$(RUN) bot ask "$(Q)"

audit: setup  ## known holes in the locked packages; a sentence where the advisory database can't be asked
	@.venv/bin/python .ci/audit.py

clean:
	rm -rf .venv .uv var
