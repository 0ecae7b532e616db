#!/bin/sh
# Compile requirements/run.txt and requirements/dev.txt from pyproject.toml: every package pinned, with the hashes of its
# files for Linux, macOS and Windows. `sh tools/lock.sh --upgrade` takes newer releases. Needs uv, of any provenance.
set -eu
cd "$(dirname "$0")/.."

compile() {
    uv pip compile --quiet --universal --python-version 3.12 --only-binary :all: --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@"
}

command -v uv >/dev/null 2>&1 || { echo "make lock needs uv on the path (pip install uv)" >&2; exit 1; }
compile "$@" --group pyproject.toml:build --output-file requirements/run.txt pyproject.toml
compile "$@" --group pyproject.toml:build --extra dev --constraint requirements/run.txt \
    --output-file requirements/dev.txt pyproject.toml
