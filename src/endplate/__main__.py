"""`python -m endplate`: the same as the `endplate` command."""

import sys

from endplate.cli.app import main

sys.exit(main())
