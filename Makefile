.PHONY: check format lint types imports test test-lowest test-newest test-pythons lock

check: lint types imports test

format:
	ruff format .
	ruff check --fix .

lint:
	ruff format --check .
	ruff check .

types:
	mypy

imports:
	lint-imports

test:
	pytest

# The tests that start `ddb`, with other versions of what it depends on than the locked ones: the
# lowest that pyproject.toml allows, and the newest that there are.
test-lowest:
	DDB_TEST_VERSIONS=lowest pytest -m installed

test-newest:
	DDB_TEST_VERSIONS=newest pytest -m installed

# The same with each Python that is found here.
test-pythons:
	python tests/support/pythons.py

# The versions that are known to be good; commit the file once the tests have passed with it.
lock:
	python -m uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
		--no-annotate --quiet --custom-compile-command 'make lock' --output-file requirements/tested.txt
