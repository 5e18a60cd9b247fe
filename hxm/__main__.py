"""`python -m hxm`."""

from hxm.cli import main

main()
