"""Make .venv with the pinned packages and fitss_abm itself, or leave it alone when it is up to date.

    python tools/setup_environment.py run     what a simulation needs
    python tools/setup_environment.py dev     that, and what the tests and checks need

Written for any Python, however old, so that an old one says that it is too old. It uses the standard library only.
"""

from __future__ import print_function

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "Scripts", "python.exe") if os.name == "nt" else os.path.join(VENV, "bin", "python")


def state_wanted(kind):
    """What .venv must have been made from: this folder, this Python line, the pins and the package's own metadata."""
    digest = hashlib.sha256()
    digest.update(repr((ROOT, sys.version_info[:2])).encode())
    for name in ("requirements/{}.txt".format(kind), "pyproject.toml", "tools/setup_environment.py"):
        with open(os.path.join(ROOT, name), "rb") as source:
            digest.update(source.read())
    return digest.hexdigest()


def stamp(kind):
    """The file that says what .venv was made from; written last, so half a set-up never passes for a whole one."""
    return os.path.join(VENV, "fitss-{}.stamp".format(kind))


def up_to_date(kind):
    """Whether .venv starts and was made, for this kind or a larger one, from what is here now."""
    return starts() and any(read(stamp(k)) == state_wanted(k) for k in ("dev", kind))


def starts():
    """Whether the Python in .venv runs at all (its base may have been removed) and is of the same line as this one."""
    try:
        line = subprocess.check_output([PYTHON, "-c", "import sys; print(tuple(sys.version_info[:2]))"])
    except (OSError, subprocess.CalledProcessError):
        return False
    return line.decode().strip() == repr(tuple(sys.version_info[:2]))


def read(path):
    """The text of a file, or None where there is none."""
    try:
        with open(path) as source:
            return source.read()
    except (IOError, OSError):
        return None


def pip(*arguments):
    """Run .venv's pip; on failure stop with what the user can do."""
    command = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    if subprocess.call(command + list(arguments), cwd=ROOT) != 0:
        sys.exit(
            "\nThe packages could not be installed (pip's own message is above).\n"
            "  no network, or a proxy: pip must reach a package index; PIP_INDEX_URL and PIP_PROXY choose them\n"
            "  'No matching distribution': there is no ready-made package for Python {}.{} on this machine;\n"
            "      3.12 and 3.13 are tested: choose one with PYTHON=/path/to/python3.12\n"
            "Then run the same command again.".format(*sys.version_info[:2])
        )


def main():
    """Bring .venv to the state that is wanted."""
    if sys.version_info[:2] < (3, 12):
        sys.exit(
            "fitss_abm needs Python 3.12 or newer; {} is Python {}.{}.".format(sys.executable, *sys.version_info[:2])
        )
    kind = sys.argv[1] if len(sys.argv) > 1 else "run"
    if kind not in ("run", "dev") or len(sys.argv) > 2:
        sys.exit("usage: python tools/setup_environment.py [run|dev]")
    if up_to_date(kind):
        return
    print("Setting up .venv with Python {}.{} (once; a few minutes) ...".format(*sys.version_info[:2]))
    sys.stdout.flush()
    if os.path.isdir(VENV) and not (starts() and read(os.path.join(VENV, "fitss-root")) == ROOT):
        shutil.rmtree(VENV)
    for old in ("run", "dev"):
        if os.path.exists(stamp(old)):
            os.remove(stamp(old))
    if not os.path.isdir(VENV) and subprocess.call([sys.executable, "-m", "venv", VENV]) != 0:
        sys.exit("Could not make .venv with {}. On Debian and Ubuntu install python3-venv.".format(sys.executable))
    with open(os.path.join(VENV, "fitss-root"), "w") as mark:
        mark.write(ROOT)
    pins = os.path.join("requirements", kind + ".txt")
    pip("--require-hashes", "--only-binary", ":all:", "-r", pins)
    pip("--no-deps", "--no-build-isolation", "--no-index", "--editable", ".")
    with open(stamp(kind), "w") as mark:
        mark.write(state_wanted(kind))


if __name__ == "__main__":
    main()
