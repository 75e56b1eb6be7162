"""`python -m gensweep`: the same as the command `gensweep`."""

from gensweep.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
