"""`python -m rrcli` is `rrcli`."""

import sys


def main() -> None:
    """Entry point of the console script."""
    try:
        from rrcli.cli.main import run

        run()
    except KeyboardInterrupt:  # during the imports, before the command line could see it
        sys.exit(130)


if __name__ == "__main__":
    main()
