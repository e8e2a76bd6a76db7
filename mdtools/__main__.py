"""`python -m mdtools` is `mdtools`."""

import sys

from mdtools.cli import main

if __name__ == "__main__":
    sys.exit(main())
