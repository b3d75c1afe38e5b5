#!/usr/bin/env bash
# Every gate, in .venv: format, lint, types, import contracts, mirror, tests. All of them run; the tests close the output.
# Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH="$PWD/.venv/bin:$PATH:/usr/sbin:/sbin"

failed=()
gate() {
    printf -- '--- %s\n' "$*"
    "$@" || failed+=("$1")
}

gate ruff format --check .
gate ruff check .
gate mypy
gate lint-imports --no-cache
gate python scripts/mirror_check.py
[ ${#failed[@]} -eq 0 ] || printf 'NOT GREEN: %s\n' "${failed[*]}"

printf -- '--- pytest\n'
cores=$(getconf _NPROCESSORS_ONLN)
pytest -n "$((cores > 4 ? 4 : cores))" --dist loadgroup "$@"
[ ${#failed[@]} -eq 0 ]
