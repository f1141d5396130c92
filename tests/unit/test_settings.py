"""Settings: where each value comes from, and how a wrong one is told."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rrcli import settings
from rrcli.core.fields import Boolean, Check, Choice, Integer, ListOf, Number, Optional, Text
from rrcli.core.models import Misfire, MisfirePolicy
from rrcli.errors import InvalidSettings
from rrcli.settings import Loaded, load, search_path

KEYS = {key.name: key for key in settings.keys()}  # noqa: SIM118 - a function, not a mapping
SECRET_URI = "mongodb://admin:hunter2@db.example:27017"

Write = Callable[[str], str]


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder without a configuration file."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a configuration file and says where."""

    def write(text: str) -> str:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def value(loaded: Loaded, name: str) -> object:
    section, key = name.split(".")
    return getattr(getattr(loaded.settings, section), key)


def refusal(**sources: object) -> list[str]:
    """The lines of the error that `load` raises."""
    with pytest.raises(InvalidSettings) as caught:
        load(**{"environ": {}} | sources)
    return caught.value.message.splitlines()


# Where a value comes from


def test_without_any_source_all_values_are_defaults():
    loaded = load(environ={})
    assert loaded.file is None
    assert {name: value(loaded, name) for name in KEYS} == {name: key.default for name, key in KEYS.items()}
    assert set(loaded.sources.values()) == {"default"}


def test_defaults_are_those_of_the_original():
    loaded = load(environ={}).settings
    assert loaded.mongo.uri is None
    assert loaded.mongo.database == "schedulerdb"
    assert (loaded.redis.host, loaded.redis.port) == ("localhost", 6379)
    assert loaded.prequeuer.ticker_interval_seconds == 20
    assert loaded.prequeuer.event_timeframe_minutes == 10
    assert (loaded.worker.count, loaded.worker.max_retries) == (5, 3)
    assert loaded.log.level == "info"


def test_every_default_is_accepted_by_its_own_check():
    for key in KEYS.values():
        errors: list = []
        given = list(key.default) if isinstance(key.default, tuple) else key.default
        assert key.check(given, key.name, errors) == key.default
        assert not errors


def test_file_beats_default_environment_beats_file_flag_beats_environment(write: Write):
    path = write("worker:\n  count: 2\n")
    environ = {"WORKER_COUNT": "3"}
    flags = {"worker.count": 4}
    name = "worker.count"

    steps = [
        (load(environ={}), 5, "default"),
        (load(file=path, environ={}), 2, path),
        (load(file=path, environ=environ), 3, "environment WORKER_COUNT"),
        (load(file=path, environ=environ, flags=flags), 4, "flag --worker-count"),
    ]
    assert [(value(loaded, name), loaded.sources[name]) for loaded, _, _ in steps] == [
        (count, source) for _, count, source in steps
    ]


def test_a_flag_that_was_not_given_decides_nothing():
    loaded = load(environ={"WORKER_COUNT": "3"}, flags={"worker.count": None})
    assert value(loaded, "worker.count") == 3


def test_each_key_has_a_source_of_its_own(write: Write):
    loaded = load(file=write("redis:\n  host: queue\n"), environ={"REDIS_PORT": "6380"})
    assert loaded.sources["redis.host"] == str(loaded.file)
    assert loaded.sources["redis.port"] == "environment REDIS_PORT"
    assert loaded.sources["redis.url"] == "default"


@pytest.mark.parametrize(
    ("variable", "text", "name", "expected"),
    [
        ("MONGO_URI", "mongodb://db:27017", "mongo.uri", "mongodb://db:27017"),
        ("MONGO_URI", "mongodb+srv://db.example", "mongo.uri", "mongodb+srv://db.example"),
        ("MONGO_DATABASE", "other", "mongo.database", "other"),
        ("REDIS_HOST", "queue", "redis.host", "queue"),
        ("REDIS_PORT", "6380", "redis.port", 6380),
        ("PREQUEUER_TICKER_INTERVAL_SECONDS", "30", "prequeuer.ticker_interval_seconds", 30),
        ("PREQUEUER_EVENT_TIMEFRAME_MINUTES", "15", "prequeuer.event_timeframe_minutes", 15),
        ("WORKER_COUNT", "7", "worker.count", 7),
        ("WORKER_MAX_RETRIES", "0", "worker.max_retries", 0),
        ("LOG_LEVEL", "DEBUG", "log.level", "debug"),
        ("REDIS_URL", "rediss://u:p@queue:6380/1", "redis.url", "rediss://u:p@queue:6380/1"),
        ("REDIS_URL", "redis+sentinel://a:1,b:2/m/0", "redis.url", "redis+sentinel://a:1,b:2/m/0"),
        ("RRCLI_DATA_DIR", "/srv/rr", "embedded.data_dir", "/srv/rr"),
        ("API_HOST", "::", "api.host", "::"),
        ("API_PORT", "80", "api.port", 80),
        ("WORKER_ALLOW_PRIVATE", "no", "worker.allow_private", False),
        (
            "WORKER_DENY_NETWORKS",
            "10.0.0.0/8, fd00::/8",
            "worker.deny_networks",
            ("10.0.0.0/8", "fd00::/8"),
        ),
        ("MISFIRE_POLICY", "All", "misfire.policy", "all"),
        ("MISFIRE_GRACE_SECONDS", "1.5", "misfire.grace_seconds", 1.5),
    ],
)
def test_environment_variables(variable: str, text: str, name: str, expected: object):
    loaded = load(environ={variable: text})
    assert value(loaded, name) == expected
    assert loaded.sources[name] == f"environment {variable}"


def test_every_other_key_has_a_variable_named_after_section_and_key():
    named_apart = {
        "embedded.data_dir": "RRCLI_DATA_DIR",
        "client.server": "RRCLI_SERVER",
        "client.api_key": "RRCLI_API_KEY",
    }
    assert {name: key.env for name, key in KEYS.items()} == {
        name: named_apart.get(name, name.upper().replace(".", "_")) for name in KEYS
    }


def test_flags_of_the_original():
    assert {key.flag: key.name for key in KEYS.values() if key.flag} == {
        "--prequeuer-ticker-seconds": "prequeuer.ticker_interval_seconds",
        "--prequeuer-timeframe-minutes": "prequeuer.event_timeframe_minutes",
        "--worker-count": "worker.count",
        "--worker-max-retries": "worker.max_retries",
        "--log-level": "log.level",
        "--server": "client.server",  # these two are ours
        "--api-key": "client.api_key",
    }


@pytest.mark.parametrize("name", KEYS)
def test_an_empty_variable_counts_as_unset(name: str):
    assert load(environ={KEYS[name].env: ""}).sources[name] == "default"


# Which file is read


def test_rrcli_config_names_the_file(write: Write):
    path = write("worker:\n  count: 2\n")
    assert load(environ={"RRCLI_CONFIG": path}).file == Path(path)


def test_a_named_file_beats_rrcli_config(write: Write, tmp_path: Path):
    other = tmp_path / "other.yaml"
    other.write_text("worker:\n  count: 9\n")
    loaded = load(file=str(other), environ={"RRCLI_CONFIG": write("worker:\n  count: 2\n")})
    assert value(loaded, "worker.count") == 9


def test_the_working_folder_comes_before_the_users_folder(tmp_path: Path):
    users = tmp_path / "xdg" / "rrule-scheduler" / "config.yaml"
    users.parent.mkdir(parents=True)
    users.write_text("worker:\n  count: 8\n")
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    assert load(environ=environ).file == users

    Path("config").mkdir()
    Path("config/config.yaml").write_text("worker:\n  count: 6\n")
    loaded = load(environ=environ)
    assert (value(loaded, "worker.count"), loaded.file) == (6, Path("config/config.yaml"))


def test_search_path_ends_with_the_machines_folder():
    assert search_path({"XDG_CONFIG_HOME": "/x"}) == [
        Path("config/config.yaml"),
        Path("/x/rrule-scheduler/config.yaml"),
        Path("/etc/rrule-scheduler/config.yaml"),
    ]


@pytest.mark.parametrize("source", ["file", "environment"])
def test_a_named_file_that_is_not_there_is_an_error(source: str):
    named: dict = (
        {"file": "absent.yaml"} if source == "file" else {"environ": {"RRCLI_CONFIG": "absent.yaml"}}
    )
    assert refusal(**named) == ["There is no configuration file absent.yaml."]


@pytest.mark.parametrize("text", ["", "# nothing\n", "worker:\n", "worker: {}\n"])
def test_a_file_may_leave_everything_out(write: Write, text: str):
    assert load(file=write(text), environ={}).settings == settings.Settings()


# What is wrong with a file


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- worker\n", "must hold sections such as `worker:`, not list"),
        ("worker\n", "must hold sections such as `worker:`, not str"),
        ("7\n", "must hold sections such as `worker:`, not int"),
        ("worker: 3\n", "worker: must be a mapping of its settings"),
        ("worker:\n\tcount: 3\n", "is not YAML in line 2"),
        ("worker: {count: 3\n", "is not YAML in line 2"),
        ("worker: !!python/object:os.system {}\n", "is not YAML in line 1"),
        ("worker: {count: 2001-99-99}\n", "cannot be read: month must be in 1..12"),
        ("a: " + "[" * 5000, "cannot be read"),
        ("worker: {count: " + "9" * 5000 + "}\n", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(write: Write, text: str, complaint: str):
    path = write(text)
    (line,) = refusal(file=path)
    assert line.startswith(f"{path}: {complaint}")


def test_a_binary_file_is_refused(tmp_path: Path):
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff\xfe\x00binary")
    assert refusal(file=str(path))[0].startswith(f"{path}: cannot be read: 'utf-8' codec")


@pytest.mark.parametrize(
    "text",
    [f"mongo:\n  uri: {SECRET_URI}: x\n", f'mongo:\n  uri: "{SECRET_URI}\n', f"mongo: [uri: {SECRET_URI}\n"],
)
def test_a_broken_file_is_not_quoted(write: Write, text: str):
    with pytest.raises(InvalidSettings) as caught:
        load(file=write(text), environ={})
    assert "hunter2" not in caught.value.message
    assert caught.value.__suppress_context__


def test_unknown_keys_are_told_with_the_nearest_known_one(write: Write):
    path = write("worker:\n  cuont: 3\nlogg:\n  level: info\nqqqq: {zzzz: 1}\n7: 8\n")
    assert refusal(file=path) == [
        f"{path}: worker.cuont is not a setting; did you mean worker.count?",
        f"{path}: logg.level is not a setting; did you mean log.level?",
        f"{path}: qqqq.zzzz is not a setting",
        f"{path}: 7 is not a setting",
    ]


# Wrong values


def core(check: Check) -> Check:
    return check.check if isinstance(check, Optional) else check


def wrong_values(check: Check) -> Iterator[object]:
    """Too low, too high and of the wrong type, for any check that settings use."""
    check = core(check)
    yield {"a": "mapping"}
    match check:
        case Integer():
            yield from [check.minimum - 1, check.maximum + 1, 1.5, "three", True, [1], 10**400, float("nan")]
        case Number():
            yield from [check.minimum - 1, check.maximum + 1, "much", False, float("inf"), float("nan")]
        case Boolean():
            yield from ["perhaps", 1, 0]
        case Choice():
            yield from ["other", 1, True, [check.options[0]]]
        case Text():
            yield from [7, True, "", "a\x00b", "x" * (check.maximum + 1), ["text"]]
        case ListOf():
            yield from ["10.0.0.0/8", 7, [7], ["nonsense"], ["10.0.0.0/8"] * (check.maximum + 1)]
            yield from [["999.0.0.0/8"], ["10.0.0.0/33"], ["::/129"], ["10.0.0.0/8", None]]
        case _:
            raise AssertionError(f"no wrong values for {check}")


def all_wrong() -> list:
    return [
        pytest.param(name, wrong, id=f"{name}={str(wrong)[:20]!r}")
        for name, key in KEYS.items()
        for wrong in wrong_values(key.check)
    ]


@pytest.mark.parametrize(("name", "wrong"), all_wrong())
def test_a_wrong_value_is_told_with_source_key_value_and_what_is_allowed(name: str, wrong: object):
    key = KEYS[name]
    lines = refusal(flags={name: wrong})
    source = f"flag {key.flag or '--' + name}"
    for line in lines:
        assert re.match(rf"{re.escape(f'{source}: {name}')}(\[\d+])?: must be .+ \(got .+\)$", line)
    shown = "'********'" if key.secret else None
    if shown:
        assert lines[0].endswith(f"(got {shown})")


@pytest.mark.parametrize(
    ("variable", "text", "line"),
    [
        ("WORKER_COUNT", "0", "worker.count: must be a whole number from 1 to 1000 (got 0)"),
        ("WORKER_COUNT", "many", "worker.count: must be a whole number from 1 to 1000 (got 'many')"),
        ("WORKER_COUNT", "3.0", "worker.count: must be a whole number from 1 to 1000 (got '3.0')"),
        ("REDIS_PORT", "65536", "redis.port: must be a whole number from 1 to 65535 (got 65536)"),
        ("LOG_LEVEL", "loud", "log.level: must be one of debug, info, warn, error (got 'loud')"),
        ("WORKER_ALLOW_PRIVATE", "ja", "worker.allow_private: must be true or false (got 'ja')"),
        (
            "WORKER_ALLOW_NETWORKS",
            "10.0.0.0/8,300.0.0.0/8",
            "worker.allow_networks[1]: must be an IP network such as 10.0.0.0/8, at most 43 characters "
            "(got '300.0.0.0/8')",
        ),
        ("MISFIRE_GRACE_SECONDS", "nan", "misfire.grace_seconds: must be a number from 0 to 86400 (got nan)"),
    ],
)
def test_a_wrong_variable_is_told_under_its_name(variable: str, text: str, line: str):
    assert refusal(environ={variable: text}) == [f"environment {variable}: {line}"]


def test_a_wrong_value_of_a_file_is_told_with_the_file(write: Write):
    path = write("worker:\n  count: 0\n  max_retries: null\n")
    assert refusal(file=path) == [
        f"{path}: worker.count: must be a whole number from 1 to 1000 (got 0)",
        f"{path}: worker.max_retries: must be a whole number from 0 to 100 (got null)",
    ]


def test_null_means_unset_where_unset_is_possible(write: Write):
    assert load(file=write("mongo:\n  uri: null\n"), environ={}).settings.mongo.uri is None


def test_several_errors_are_told_at_once(write: Write):
    path = write("worker:\n  count: 0\n  cuont: 1\n")
    lines = refusal(file=path, environ={"API_PORT": "0"}, flags={"log.level": "loud"})
    assert [line.split(": ")[0] for line in lines] == [
        "environment API_PORT",
        path,
        "flag --log-level",
        path,
    ]


def test_a_value_overridden_by_a_better_source_is_not_judged(write: Write):
    loaded = load(file=write("worker:\n  count: 0\n"), environ={"WORKER_COUNT": "3"})
    assert value(loaded, "worker.count") == 3


def test_a_window_shorter_than_the_tick_is_refused():
    environ = {"PREQUEUER_EVENT_TIMEFRAME_MINUTES": "1", "PREQUEUER_TICKER_INTERVAL_SECONDS": "61"}
    (line,) = refusal(environ=environ)
    assert line.startswith("environment PREQUEUER_TICKER_INTERVAL_SECONDS: prequeuer.ticker_interval_seconds")
    assert "= 60 seconds (got 61)" in line
    load(environ=environ | {"PREQUEUER_TICKER_INTERVAL_SECONDS": "60"})


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if key.secret])
def test_secrets_are_never_echoed(name: str, write: Write):
    section, key = name.split(".")
    for sources in (
        {"environ": {KEYS[name].env: "ftp://admin:hunter2@db"}},
        {"flags": {name: "ftp://admin:hunter2@db"}},
        {"file": write(f"{section}:\n  {key}: ftp://admin:hunter2@db\n")},
        {"file": write(f"{section}:\n  {key}: [hunter2]\n")},
    ):
        (line,) = refusal(**sources)
        assert "hunter2" not in line
        assert "(got '********')" in line


def test_the_servers_credentials_are_secret():
    assert {name for name, key in KEYS.items() if key.secret} == {
        *("mongo.uri", "redis.url", "security.encryption_key", "client.api_key"),
    }


def test_misfire_defaults_become_those_of_new_schedules():
    loaded = load(environ={"MISFIRE_POLICY": "skip", "MISFIRE_WINDOW_SECONDS": "5"}).settings
    assert loaded.misfire.default() == Misfire(
        policy=MisfirePolicy.SKIP, grace_seconds=60.0, window_seconds=5.0
    )


def test_every_key_is_documented():
    for key in KEYS.values():
        assert re.fullmatch(r"[^\s].*[.]", key.doc), key.name
