"""Settings -> backend: the only place that knows which backends there are."""

from pathlib import Path

from rrcli.repository.base import Repository
from rrcli.settings import Settings


def open_repository(settings: Settings) -> Repository:
    """The store that the settings name; `ping` tells whether it is there."""
    repository = _open(settings)
    if keys := settings.security.encryption_key:
        from rrcli.repository.sealing import Cipher, SealedSchedules

        repository.schedules = SealedSchedules(repository.schedules, Cipher(keys))
    return repository


def _open(settings: Settings) -> Repository:
    if settings.mongo.uri:
        from rrcli.repository.mongo_redis import MongoRedisRepository

        return MongoRedisRepository.open(settings)
    from rrcli.repository.sqlite import SqliteRepository

    return SqliteRepository.open(data_dir(settings) / "rrule-scheduler.db")


def data_dir(settings: Settings) -> Path:
    """The folder of the embedded store."""
    if settings.embedded.data_dir:
        return Path(settings.embedded.data_dir).expanduser()
    from platformdirs import user_data_path

    return user_data_path("rrule-scheduler", appauthor=False)
