"""Settings: defaults < config.yaml < environment < flags, each checked once, at start.

The declarations below are the only list of settings there is: the loader, `rrcli config show`, the shipped
config/config.yaml test and the reference in the docs all read them.
"""

import os
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

from rrcli.core.fields import (
    Boolean,
    Check,
    Choice,
    Integer,
    ListOf,
    Number,
    Optional,
    Text,
    did_you_mean,
    nameable,
    refuse,
)
from rrcli.core.models import Misfire, MisfirePolicy, Overlap, Retry
from rrcli.errors import FieldError, InvalidSettings


@dataclass(frozen=True, slots=True)
class _Network:
    """An IPv4 or IPv6 network, as text."""

    allowed: str = "an IP network such as 10.0.0.0/8, at most 43 characters"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        try:
            usable = isinstance(value, str) and bool(ip_network(value, strict=False))
        except ValueError:
            usable = False
        if not usable:
            refuse(errors, path, value, self.allowed)
        return value

    def parse(self, text: str) -> object:
        return text


@dataclass(frozen=True, slots=True)
class _EncryptionKey:
    """32 bytes in base64, in either alphabet; kept in the one that Fernet reads."""

    allowed: str = "32 random bytes in base64 (openssl rand -base64 32)"

    def __call__(self, value: object, path: str, errors: list[FieldError]) -> object:
        text = value.strip().translate(_URL_SAFE) if isinstance(value, str) else ""
        try:
            usable = len(text) == 44 and len(b64decode(text, altchars=b"-_", validate=True)) == 32
        except ValueError:
            usable = False
        if not usable:
            refuse(errors, path, value, self.allowed)
        return text

    def parse(self, text: str) -> object:
        return text


_ORIGIN = Text(
    255,
    form=r"https?://[A-Za-z0-9.\-\[\]:]+",
    form_name="an origin such as https://console.example.org",
)
_URL_SAFE = str.maketrans("+/", "-_")
_NETWORK = _Network()
_PORT = Integer(1, 65_535)
_OPTIONAL_PORT = Integer(0, 65_535)


def _key(
    default: object,
    check: Check,
    doc: str,
    *,
    env: str | None = None,
    flag: str | None = None,
    secret: bool = False,
) -> Any:
    """Declare one setting. `env` overrides the SECTION_KEY name; `secret` masks it in `config show`."""
    return field(
        default=default, metadata={"check": check, "doc": doc, "env": env, "flag": flag, "secret": secret}
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class MongoSettings:
    """Where the truth is kept; unset means the embedded store."""

    uri: str | None = _key(
        None,
        Optional(Text(4096, form=r"mongodb(\+srv)?://.+", form_name="a mongodb:// or mongodb+srv:// URI")),
        "MongoDB 6 or later: standalone, replica set or sharded. Unset: the embedded SQLite store.",
        secret=True,
    )
    database: str = _key(
        "schedulerdb",
        Text(63, form=r"[A-Za-z0-9_-]+", form_name="letters, digits, - and _"),
        "The MongoDB database.",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RedisSettings:
    """The queues; nothing here that cannot be rebuilt from MongoDB."""

    url: str | None = _key(
        None,
        Optional(
            Text(
                4096,
                form=r"(rediss?(\+(sentinel|cluster))?|unix)://.+",
                form_name="a redis://, rediss://, redis+sentinel://, redis+cluster:// or unix:// URL",
            )
        ),
        "Redis 6.2 or later, or Valkey; TLS, user and password go here. Wins over host and port. "
        "Behind Sentinels: redis+sentinel://host:port,host:port/master/0. "
        "Masters of a cluster: redis+cluster://host:port,host:port.",
        secret=True,
    )
    host: str = _key("localhost", Text(253, form=r"\S+", form_name="a host name or address"), "Redis host.")
    port: int = _key(6379, _PORT, "Redis port.")
    partitions: int = _key(
        1,
        Integer(1, 1024),
        "Parts the queues are split into, to spread them over the masters of a cluster: about four a master. "
        "The same for all processes; a change takes effect when all workers have stopped, and loses nothing.",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedSettings:
    """The store used when mongo.uri is unset: one SQLite file."""

    data_dir: str | None = _key(
        None,
        Optional(Text(4096, form_name="a folder")),
        "Folder of the embedded store. Unset: the platform's folder for user data.",
        env="RRCLI_DATA_DIR",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiSettings:
    """The REST service."""

    host: str = _key(
        "127.0.0.1", Text(253, form=r"\S+", form_name="a host name or address"), "Address to listen on."
    )
    port: int = _key(8080, _PORT, "Port to listen on.")
    workers: int = _key(2, Integer(1, 64), "gunicorn worker processes.")
    threads: int = _key(4, Integer(1, 256), "Threads of each gunicorn worker.")
    allow_anonymous: bool = _key(
        False,
        Boolean(),
        "Listen beyond loopback although there is no API key yet: whoever reaches it may do everything.",
    )
    cors_origins: tuple[str, ...] = _key(
        (),
        ListOf(_ORIGIN, 20),
        "Web pages of these origins may use the API from a browser. Unset: only the service's own.",
    )
    rate_limit: float = _key(
        0.0,
        Number(0, 100_000),
        "Requests a second that each API key may make on average (without a key: each address), on this "
        "service; 0 sets no limit.",
    )
    rate_burst: int = _key(100, Integer(1, 1_000_000), "Requests that may come at once after a pause.")


@dataclass(frozen=True, kw_only=True, slots=True)
class PrequeuerSettings:
    """How far ahead occurrences are queued."""

    ticker_interval_seconds: int = _key(
        20, Integer(1, 86_400), "Seconds between two ticks.", flag="--prequeuer-ticker-seconds"
    )
    event_timeframe_minutes: int = _key(
        10, Integer(1, 10_080), "Minutes ahead that are queued.", flag="--prequeuer-timeframe-minutes"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerSettings:
    """The HTTP calls."""

    count: int = _key(
        5,
        Integer(1, 1000),
        "Workers in one worker daemon; each keeps up to `concurrency` calls in flight.",
        flag="--worker-count",
    )
    concurrency: int = _key(40, Integer(1, 1000), "Calls in flight per worker.")
    max_retries: int = _key(
        3,
        Integer(0, 100),
        "Retries after the first attempt, for schedules that do not say.",
        flag="--worker-max-retries",
    )
    lease_seconds: int = _key(
        30, Integer(2, 3600), "A worker silent for longer than this loses its claims to the others."
    )
    grace_seconds: int = _key(
        30, Integer(0, 3600), "On SIGTERM, time for calls in flight to end before they are given back."
    )
    allow_private: bool = _key(True, Boolean(), "Whether private and loopback addresses may be called.")
    allow_networks: tuple[str, ...] = _key((), ListOf(_NETWORK, 100), "Networks that may always be called.")
    deny_networks: tuple[str, ...] = _key(
        (
            *("169.254.0.0/16", "fe80::/10", "224.0.0.0/4", "ff00::/8", "0.0.0.0/32", "::/128"),
            # Where clouds serve metadata outside the link-local networks: AWS, Google, Alibaba, Azure.
            *("fd00:ec2::254/128", "fd20:ce::254/128", "100.100.100.200/32", "168.63.129.16/32"),
        ),
        ListOf(_NETWORK, 100),
        "Networks never called: link-local, the metadata addresses of clouds, multicast, unspecified.",
    )
    ca_file: str | None = _key(
        None, Optional(Text(4096, form_name="a file")), "CA certificates (PEM). Unset: certifi's."
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class MisfireSettings:
    """Defaults of new schedules for occurrences that come up late."""

    policy: str = _key(
        "latest", Choice(tuple(MisfirePolicy)), "Late occurrences: fire all, the latest, or skip them."
    )
    grace_seconds: float = _key(60.0, Number(0, 86_400), "Up to this late is on time.")
    window_seconds: float = _key(86_400.0, Number(0, 31_622_400), "Later than this never fires.")

    def default(self) -> Misfire:
        """The misfire settings of a schedule that does not say."""
        return Misfire(
            policy=MisfirePolicy(self.policy),
            grace_seconds=self.grace_seconds,
            window_seconds=self.window_seconds,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleSettings:
    """Defaults of new schedules for everything else; those that exist keep what they have."""

    timeout_seconds: float = _key(30.0, Number(0.1, 3600), "Longest that a call may take.")
    overlap: str = _key(
        "allow",
        Choice(tuple(Overlap)),
        "When the occurrence before has not ended: call all the same, skip, or queue one after the other.",
    )
    jitter_seconds: float = _key(0.0, Number(0, 86_400), "Calls are spread over so many seconds.")
    retry_base_seconds: float = _key(1.0, Number(0, 86_400), "Longest wait before the first retry.")
    retry_factor: float = _key(2.0, Number(1, 100), "What each next wait is multiplied by.")
    retry_cap_seconds: float = _key(3600.0, Number(0, 86_400), "Longest wait between two attempts.")
    auto_pause_after: int = _key(
        0, Integer(0, 100), "Failures in a row after which a schedule is paused; 0 never pauses."
    )

    def retry(self) -> Retry:
        """The back-off of a schedule that does not say."""
        return Retry(
            base_seconds=self.retry_base_seconds,
            factor=self.retry_factor,
            cap_seconds=self.retry_cap_seconds,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class HistorySettings:
    """How long finished events are kept."""

    keep_days: int = _key(0, Integer(0, 36_500), "Days that archived events are kept; 0 keeps them for ever.")


@dataclass(frozen=True, kw_only=True, slots=True)
class SecuritySettings:
    """What protects the store's content."""

    encryption_key: tuple[str, ...] = _key(
        (),
        ListOf(_EncryptionKey(), 10),
        "Encrypts header values, signing secrets, bodies and URLs with credentials in the store. "
        "The first key encrypts, all decrypt: put a new one first, then run `rrcli db rekey`. "
        "Unset: nothing is encrypted.",
        secret=True,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientSettings:
    """The command line against a REST service elsewhere."""

    server: str | None = _key(
        None,
        Optional(Text(2048, form=r"https?://[^\s/]\S*", form_name="an http:// or https:// address")),
        "The service that commands work on, such as https://scheduler.example.org. Unset: the store itself.",
        env="RRCLI_SERVER",
        flag="--server",
    )
    api_key: str | None = _key(
        None,
        Optional(Text(200, form=r"rrk_[0-9A-Za-z_-]+", form_name="a key of that service, rrk_…")),
        "The key that goes with `server`. Better here or in the environment than in a flag, which all see.",
        env="RRCLI_API_KEY",
        flag="--api-key",
        secret=True,
    )
    timeout_seconds: float = _key(30.0, Number(0.1, 3600), "Longest that one answer may take.")


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsSettings:
    """Where daemons show their figures to Prometheus; the API has /metrics on its own port."""

    host: str = _key(
        "127.0.0.1", Text(253, form=r"\S+", form_name="a host name or address"), "Address to listen on."
    )
    prequeuer_port: int = _key(0, _OPTIONAL_PORT, "Port of the prequeuer's metrics; 0 shows none.")
    dispatcher_port: int = _key(0, _OPTIONAL_PORT, "Port of the dispatcher's metrics; 0 shows none.")
    worker_port: int = _key(
        0,
        _OPTIONAL_PORT,
        "Port of a worker's metrics; 0 shows none. Where it is taken, by another worker on the same machine, "
        "the next free one of 32 is used.",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSettings:
    """Logging, on stderr."""

    level: str = _key(
        "info", Choice(("debug", "info", "warn", "error")), "Lowest level shown.", flag="--log-level"
    )
    format: str = _key(
        "auto", Choice(("auto", "json", "text")), "json, text, or text on a terminal and json elsewhere."
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that can be set; one attribute a section."""

    mongo: MongoSettings = MongoSettings()
    redis: RedisSettings = RedisSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()
    api: ApiSettings = ApiSettings()
    prequeuer: PrequeuerSettings = PrequeuerSettings()
    worker: WorkerSettings = WorkerSettings()
    misfire: MisfireSettings = MisfireSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    history: HistorySettings = HistorySettings()
    security: SecuritySettings = SecuritySettings()
    client: ClientSettings = ClientSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One declared setting: `name` is dotted, `env` its variable, `flag` its daemon option if it has one."""

    name: str
    default: object
    check: Check
    doc: str
    env: str
    flag: str | None
    secret: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """Settings, and where each came from: key name -> `default`, a file, `environment NAME`, `flag --x`."""

    settings: Settings
    sources: Mapping[str, str]
    file: Path | None


def keys() -> Iterator[Key]:
    """All declared settings, in order."""
    for section in fields(Settings):
        for declared in fields(cast(Any, section.default)):
            name = f"{section.name}.{declared.name}"
            meta = declared.metadata
            yield Key(
                name=name,
                default=declared.default,
                check=meta["check"],
                doc=meta["doc"],
                env=meta["env"] or name.upper().replace(".", "_"),
                flag=meta["flag"],
                secret=meta["secret"],
            )


def load(
    *,
    file: str | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Loaded:
    """Read, merge and check all sources; `flags` maps key names to values, None meaning not given.

    Raises InvalidSettings naming the source, the key, the value and what is allowed.
    """
    environ = os.environ if environ is None else environ
    path = _find_file(file, environ)
    from_file = _read_file(path) if path else {}
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    errors: list[str] = []
    for key in keys():
        raw, source = _raw_value(key, from_file, environ, flags or {}, path)
        found: list[FieldError] = []
        values[key.name] = key.default if source == "default" else key.check(raw, key.name, found)
        sources[key.name] = source
        errors += [f"{source}: {_masked(key, error)}" for error in found]
    errors += [f"{path}: {problem}" for problem in _unknown(from_file)]
    if not errors:
        errors = _contradictions(values, sources)
    if errors:
        raise InvalidSettings(
            "\n".join(errors), hint="Run `rrcli config show` to see every key and its source."
        )
    return Loaded(settings=_build(values), sources=sources, file=path)


def search_path(environ: Mapping[str, str]) -> list[Path]:
    """Where a configuration file is looked for when none is named; the first that exists is used."""
    home = environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return [
        Path("config/config.yaml"),
        Path(home, "rrule-scheduler", "config.yaml"),
        Path("/etc/rrule-scheduler/config.yaml"),
    ]


def _find_file(named: str | None, environ: Mapping[str, str]) -> Path | None:
    named = named or environ.get("RRCLI_CONFIG") or None
    if named is None:
        return next((path for path in search_path(environ) if path.is_file()), None)
    if not Path(named).is_file():
        raise InvalidSettings(f"There is no configuration file {named}.", hint="Write one: rrcli config init")
    return Path(named)


def _read_file(path: Path) -> dict[str, object]:
    """The file's values under dotted names. Raises InvalidSettings when it is no mapping of sections."""
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.MarkedYAMLError as error:
        # Without PyYAML's extract from the file, and without the cause: a password may stand there.
        place = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InvalidSettings(f"{path}: is not YAML{place}: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, RecursionError, OSError) as error:
        raise InvalidSettings(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise InvalidSettings(f"{path}: must hold sections such as `worker:`, not {type(data).__name__}")
    known = {section.name for section in fields(Settings)}
    flat: dict[str, object] = {}
    for section, content in data.items():
        if isinstance(content, dict):
            flat |= {f"{section}.{name}": value for name, value in content.items()}
        elif section in known and content is not None:
            raise InvalidSettings(f"{path}: {section}: must be a mapping of its settings")
        elif content is not None:
            flat[str(section)] = content
    return flat


def _raw_value(
    key: Key,
    from_file: Mapping[str, object],
    environ: Mapping[str, str],
    flags: Mapping[str, object],
    path: Path | None,
) -> tuple[object, str]:
    """The value that wins, and where it came from."""
    if flags.get(key.name) is not None:
        return flags[key.name], f"flag {key.flag or '--' + key.name}"
    if environ.get(key.env):
        return key.check.parse(environ[key.env]), f"environment {key.env}"
    if key.name in from_file:
        return from_file[key.name], str(path)
    return key.default, "default"


def _unknown(from_file: Mapping[str, object]) -> Iterator[str]:
    known = [key.name for key in keys()]
    for name in from_file:
        if name not in known:
            near = did_you_mean(name, known)
            yield f"{nameable(name)} is not a setting" + (f"; did you mean {near}?" if near else "")


def _contradictions(values: Mapping[str, object], sources: Mapping[str, str]) -> list[str]:
    """Values that are fine alone and wrong together."""
    tick = cast(int, values["prequeuer.ticker_interval_seconds"])
    window = cast(int, values["prequeuer.event_timeframe_minutes"]) * 60
    if window < tick:
        source = sources["prequeuer.ticker_interval_seconds"]
        return [
            f"{source}: prequeuer.ticker_interval_seconds: must be at most the window, "
            f"prequeuer.event_timeframe_minutes = {window} seconds (got {tick}): "
            "occurrences between two ticks would be queued late"
        ]
    return []


def _masked(key: Key, error: FieldError) -> str:
    shown = FieldError(field=error.field, value="********", allowed=error.allowed) if key.secret else error
    return shown.sentence()


def _build(values: Mapping[str, object]) -> Settings:
    sections: dict[str, Any] = {}
    for section in fields(Settings):
        kind: Any = type(section.default)
        sections[section.name] = kind(
            **{
                declared.name: values[f"{section.name}.{declared.name}"]
                for declared in fields(cast(Any, kind))
            }
        )
    return Settings(**sections)
