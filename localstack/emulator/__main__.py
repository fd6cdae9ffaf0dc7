"""`python -m localstack.emulator up`: the whole local cloud."""

import sys

from localstack.emulator.up import main

sys.exit(main())
