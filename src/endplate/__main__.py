"""`python -m endplate`: the same as the `endplate` command."""

import sys

from endplate.apps.cli import main

sys.exit(main())
