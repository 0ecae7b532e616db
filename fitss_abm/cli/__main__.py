"""`python -m fitss_abm.cli`."""

from __future__ import annotations

from fitss_abm.cli import main

if __name__ == "__main__":
    main()
