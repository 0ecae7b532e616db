#!/bin/sh
# Print the name of a Python that can run fitss_abm, or say on the error stream what is missing and stop.
# Each candidate is really started, for a name on the path may be a pyenv shim that only fails.
# PYTHON=/path/to/python makes this script try that one alone.

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- python3.13 python3.12 python3.14 python3 python
fi
found=""

for name in "$@"; do
    version=$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null </dev/null) || continue
    case $version in
    3.*) minor=${version#3.} ;;
    *) minor=0 ;;
    esac
    if [ "$minor" -lt 12 ]; then
        found="$found
    $name is Python $version: too old"
    elif ! "$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        found="$found
    $name is Python $version, but lacks 'venv' (on Debian and Ubuntu: apt install python$version-venv)"
    else
        printf '%s\n' "$name"
        exit 0
    fi
done

{
    echo "fitss_abm needs Python 3.12 or newer, and none was found."
    if [ -n "$found" ]; then
        echo "What was found:$found"
    else
        echo "None of these starts here: $*"
    fi
    echo "Install Python 3.12 or 3.13 (python.org, your system's packages, pyenv, conda or uv) and try again,"
    echo "or name one: make run PYTHON=/path/to/python3.12"
} >&2
exit 1
