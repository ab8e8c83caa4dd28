# One virtual environment for all: `make test`, `make check`, `make example`.
PYTHON ?= python3
# The version that tests are run with; on a machine with a GPU take the build you like: make TORCH=torch test
TORCH ?= torch==2.13.0
VENV ?= .venv
# What installs into it: any command that takes pip's arguments
INSTALLER ?= $(VENV)/bin/pip install --quiet
SOURCES := setup.cfg pyproject.toml README.md $(shell find saresnet_cli train export models -name '*.py' -o -name '*.onnx' -o -name '*.adapter' -o -name '*.pt' -o -name '*.json')

.PHONY: test test-scanner test-rest check example bench dist release man docs clean

# Two halves of equal length side by side, each told of when it has ended.
HALF := tests/cli tests/export tests/hard tests/web tests/benchmark_report tests/test_howto.py tests/test_models.py \
	tests/test_rivals.py tests/test_recipe.py tests/train/test_attribution.py tests/train/test_lowrank.py

test: $(VENV)/train
	@$(MAKE) --no-print-directory --output-sync=target --jobs 2 test-scanner test-rest

test-scanner: $(VENV)/train
	$(VENV)/bin/pytest $(HALF)

test-rest: $(VENV)/train
	$(VENV)/bin/pytest $(addprefix --ignore=,$(HALF))

check: $(VENV)/train
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

example: $(VENV)/scan
	$(VENV)/bin/saresnet scan examples/hg19.chr20.part.fa examples/regions.bed --tf CTCF --cell GM12878

GENOME ?= /usr/share/doc/vt/examples/ref/20.fa.gz
# Half an hour on two quiet cores; goes on where it was ended. With DATA=FOLDER also what needs training data.
bench: $(VENV)/train
	$(INSTALLER) -r benchmarks/requirements.txt
	$(VENV)/bin/python benchmarks/run.py --genome $(GENOME) $(if $(DATA),--data $(DATA))
	$(if $(DATA),$(VENV)/bin/python benchmarks/graph_variants.py --data $(DATA))
	$(if $(DATA),$(VENV)/bin/python benchmarks/precision.py --data $(DATA))
	$(VENV)/bin/python benchmarks/table.py

dist: $(VENV)/train
	$(VENV)/bin/python -m build

# sdist and wheel in dist/, checked and tried on the lowest and the highest Python on the path, or on those given:
# make release PYTHONS="python3.10 python3.14". TRIAL=yes takes what is not committed, too.
release: $(VENV)/bin/python
	$(INSTALLER) "build>=1.0" "twine>=5"
	$(VENV)/bin/python release/make.py $(addprefix --python ,$(PYTHONS)) $(if $(TRIAL),--dirty)

# The manual pages, to look at: man -l build/man/saresnet.1. A wheel makes and brings its own.
man: $(VENV)/scan
	$(VENV)/bin/python release/manual.py build/man

# The documentation as a site, in build/site; to read it with its search: python3 -m http.server --directory build/site
docs: $(VENV)/train
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --quiet

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# Inference only, as users install it.
$(VENV)/scan: $(VENV)/bin/python $(SOURCES)
	rm -rf build
	$(INSTALLER) .
	touch $@

# With training, tests and checks. setuptools keeps what it built before, so that goes first.
$(VENV)/train: $(VENV)/bin/python $(SOURCES)
	rm -rf build
	$(INSTALLER) "$(TORCH)"
	$(INSTALLER) ".[train,test,check]"
	touch $@ $(VENV)/scan

clean:
	rm -rf $(VENV) build dist *.egg-info
