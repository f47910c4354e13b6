# make demo and make test need nothing but Python 3.11-3.13 and a package index.
PYTHON ?= $(shell for p in python3.12 python3.13 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo

.PHONY: demo serve pictures rehearsal-whole journey test coverage fuzz kills mutants listen archive verify cohort-kills spines lift-cohort bench guard lint lock docs changelog clean

$(VENV)/.run: pyproject.toml
	@test -n "$(PYTHON)" || { echo "endplate needs Python 3.11, 3.12 or 3.13; none was found. Install one, or say make PYTHON=/path/to/python" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dicom]'
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dicom,dev]'
	touch $@

demo: $(VENV)/.run  ## from nothing to a report on the built-in digital spine
	$(BIN)/endplate demo --out $(OUT)

$(VENV)/.web: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dicom,web]'
	touch $@

$(OUT)/case.json: | $(VENV)/.run
	$(BIN)/endplate demo --out $(OUT)

serve: $(VENV)/.web $(OUT)/case.json  ## the workbench in the browser, on the demo case
	$(BIN)/endplate serve $(OUT)

pictures: $(VENV)/.dev $(OUT)/case.json  ## the pictures of the docs again, from the demo case; needs Debian's chromium; minutes
	ENDPLATE_DRAW=1 ENDPLATE_DEMO=$(OUT) $(BIN)/python -m pytest -q tests/test_readme_picture.py tests/web/test_docs_pictures.py

rehearsal-whole: $(VENV)/.dev  ## a kyphoplasty by hand in the browser, cancelled and run to its end, and the needle in 3-D; needs chromium; minutes
	ENDPLATE_REHEARSE=1 ENDPLATE_WEBGL=1 $(BIN)/python -m pytest -q tests/web/test_rehearsal_whole.py tests/web/test_viewer_in_webgl.py

journey: $(VENV)/.dev $(OUT)/case.json  ## from an empty store to a printed report in the browser: the demo case, and a real scan where it lies in ENDPLATE_SHARED; needs chromium; minutes
	ENDPLATE_JOURNEY=1 ENDPLATE_DEMO=$(OUT) $(BIN)/python -m pytest -q tests/web/test_journey.py tests/web/test_real_scan_in_browser.py

test: $(VENV)/.dev  ## all tests
	$(BIN)/python -m pytest -n 2

kills: $(VENV)/.dev  ## writing commands killed 300 times at random moments; minutes
	ENDPLATE_KILLS=300 $(BIN)/python -m pytest -q tests/cli/test_writing_kills.py

listen: $(VENV)/.dev  ## 50 series sent to a listener that is killed 20 times; half an hour; needs Orthanc
	ENDPLATE_LISTEN_SERIES=50 ENDPLATE_LISTEN_KILLS=20 ENDPLATE_LISTEN_SECONDS=3000 \
		$(BIN)/python -m pytest -q -s tests/pacs/test_listen_kills.py

archive: $(VENV)/.dev  ## a real CT through a real archive and back (ENDPLATE_ARCHIVE_MODEL= for strength too); needs Orthanc and the public data
	ENDPLATE_ARCHIVE=1 $(BIN)/python -m pytest -q -s tests/pacs/test_real_scan.py

coverage: $(VENV)/.dev  ## lines and branches of rules and records that their tests reach; fails below the ratchet
	$(BIN)/python -m coverage run -m pytest -q tests/decision tests/patient tests/fuzz/test_fuzz_record.py
	$(BIN)/python -m coverage report

FUZZ_SECONDS ?= 133
fuzz: $(VENV)/.dev  ## broken inputs for every reader, an hour in all; FUZZ_SECONDS is the time of each of the 27 targets
	ENDPLATE_FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/python -m pytest -n 1 tests/fuzz

SAMPLE ?= 400
SEED ?= 4711
mutants: $(VENV)/.dev  ## the share of made-up faults in the rules that the tests notice, with its interval; SAMPLE mutants, drawn by SEED; hours
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'mutmut>=3.8'
	$(BIN)/python -m verification.mutants --sample $(SAMPLE) --seed $(SEED)

verify: $(VENV)/.dev  ## the acceptance table; non-zero if a check fails
	$(BIN)/python -m verification

.bench-venv/.ready:  # peers live in an environment of their own; without them their rows say so
	$(PYTHON) -m venv .bench-venv
	-.bench-venv/bin/python -m pip install --quiet --disable-pip-version-check nibabel matplotlib scikit-image scipy imgkit jinja2 \
		xmltodict tqdm pandas && .bench-venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps totalsegmentator
	-.bench-venv/bin/python -m pip install --quiet --disable-pip-version-check parosol-py h5py numpy fipy scikit-fmm && touch $@

cohort-kills: $(VENV)/.dev  ## 200 digital spines as a cohort, undisturbed and with workers and run killed; tens of minutes
	$(BIN)/python -m verification.cohort_kills --count 200

spines: $(VENV)/.dev  ## 200 random digital spines: what is said of them wrongly, by slice thickness; a quarter of an hour on one free core
	$(BIN)/python -m verification.spines --count 200

lift-cohort: $(VENV)/.dev  ## 24 made fractures rehearsed, gains by posture and by balloon; resumable, an hour on one core
	$(BIN)/python -m verification.lift_cohort

bench: $(VENV)/.dev .bench-venv/.ready  ## speed against peers, with the correctness check beside each ratio
	$(BIN)/python -m benchmarks

guard: $(VENV)/.dev  ## kernels of this commit against a reference loop, kept by asv; fails where one is 15 % slower than before
	cd benchmarks && ASV_PYTHONPATH=$(CURDIR):$(CURDIR)/src NUMBA_NUM_THREADS=1 ../$(BIN)/asv --config asv.conf.json machine --machine bench --yes >/dev/null
	cd benchmarks && ASV_PYTHONPATH=$(CURDIR):$(CURDIR)/src NUMBA_NUM_THREADS=1 ../$(BIN)/asv --config asv.conf.json run --machine bench \
		--environment existing:same --set-commit-hash "$$(git rev-parse HEAD)" --show-stderr
	$(BIN)/python -m benchmarks.guard

docs: $(VENV)/.dev  ## the documentation site in build/docs; a warning is an error
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "build/docs/index.html"

lint: $(VENV)/.dev  ## style, types, imports one way
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: $(VENV)/.dev  ## requirements.lock anew: every library of the container, pinned with hashes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	$(BIN)/uv pip compile pyproject.toml --extra dicom --extra fhir --extra postgres --extra pdf --extra pacs --extra cohort --extra web --universal \
		--python-version 3.11 --generate-hashes --no-header --upgrade --output-file requirements.lock

changelog:  ## the fragments of changes/ into CHANGELOG.md, at a release
	$(PYTHON) changes/gather.py

clean:
	rm -rf $(VENV) .bench-venv $(OUT) build dist
