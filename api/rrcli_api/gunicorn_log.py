"""gunicorn's own lines, through the product's logging."""

from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]


class Log(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Hands every line to the root logger; requests are logged by the application alone."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        for logger in (self.error_log, self.access_log):
            logger.handlers.clear()
            logger.propagate = True

    def access(self, *_: object) -> None:
        """The application writes one line a request; a second one would say the same."""

    def reopen_files(self) -> None:
        """There are no files: lines go to stderr."""
