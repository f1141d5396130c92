"""`python -m rrcli` is `rrcli`."""


def main() -> None:
    """Entry point of the console script."""
    from rrcli.cli.main import run

    run()


if __name__ == "__main__":
    main()
