"""What people get wrong, each met with exit 4 (or 2 where the line itself cannot be read) and a sentence."""

import pytest

URL = "http://127.0.0.1:9/hook"


def create(run, *arguments, rule="FREQ=DAILY", url=URL, **options):
    return run(
        "schedule", "create", "--name", "x", "--callback-url", url, "--rrule", rule, *arguments, **options
    )


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("not-a-rule", "--rrule"),
        ("FREQ=SOMETIMES", "--rrule"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("A" * 100_000, "--rrule"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "--rrule"),
        ("", "--rrule"),
        ("DTSTART;TZID=Mars/Olympus:20270101T000000\nRRULE:FREQ=DAILY", "--rrule"),
    ],
    ids=["not-a-rule", "unknown-freq", "interval-0", "100000-characters", "never-fires", "empty", "zone"],
)
@pytest.mark.parametrize("by", ["create", "preview"])
def test_a_wrong_rule_is_refused_in_a_short_sentence(run, rule, said, by):
    result = create(run, rule=rule) if by == "create" else run("preview", "--rrule", rule)
    assert result.code == 4
    assert said in result.err
    assert len(result.err) < 600
    assert "Traceback" not in result.err


@pytest.mark.parametrize("url", ["ftp://example.org/", "/foo", "http://", "example.org", "http://a b.org"])
def test_a_url_that_cannot_be_called_is_refused(run, url):
    result = create(run, url=url)
    assert result.code == 4
    assert "--callback-url: must be an absolute http" in result.err


def test_a_method_of_two_words_is_refused(run):
    result = create(run, "--method", "FOO BAR")
    assert result.code == 4
    assert "--method: must be one of GET" in result.err


def test_a_line_break_in_a_header_is_refused(run):
    result = create(run, "-H", "X-A: one\r\nX-B: two")
    assert result.code == 4
    assert "-H/--header X-A: must be text without line breaks" in result.err


@pytest.mark.parametrize("header", ["no colon", ": value"])
def test_a_header_without_name_or_colon_is_a_usage_error(run, header):
    assert create(run, "-H", header).code == 2


def test_a_header_given_twice_is_a_usage_error(run):
    result = create(run, "-H", "X-A: one", "-H", "x-a: two")
    assert result.code == 2
    assert "given twice" in result.err


def test_a_body_over_the_limit_is_refused(run, tmp_path):
    (tmp_path / "body").write_text("x" * 300_000)
    result = create(run, "--body", "@body")
    assert result.code == 4
    assert "--body" in result.err


def test_a_body_that_is_not_utf_8_is_refused(run):
    result = create(run, "--body", "-", stdin=b"\xff\xfe")
    assert result.code == 4
    assert "UTF-8" in result.err


def test_a_body_file_that_does_not_exist_is_a_usage_error(run):
    result = create(run, "--body", "@nowhere")
    assert result.code == 2
    assert "nowhere: No such file" in result.err


def test_rule_and_body_cannot_both_come_from_stdin(run):
    assert create(run, "--body", "-", rule="-").code == 2


@pytest.mark.parametrize("at", ["yesterday", "2027-01-01T00:00", "2020-01-01T00:00:00Z", "2027-13-01T00:00Z"])
def test_a_time_that_is_unclear_or_past_is_refused(run, at):
    result = run("schedule", "create", "--name", "x", "--callback-url", URL, "--at", at)
    assert result.code == 4
    assert "--at" in result.err


def test_at_goes_with_no_rule(run):
    assert create(run, "--at", "+10m").code == 2


def test_neither_rule_nor_time_is_a_usage_error(run):
    assert run("schedule", "create", "--name", "x", "--callback-url", URL).code == 2


def test_two_dtstarts_are_a_usage_error(run):
    rule = "DTSTART:20270101T000000Z\nRRULE:FREQ=DAILY"
    assert create(run, "--dtstart", "2027-01-01T00:00:00Z", rule=rule).code == 2


def test_an_unknown_time_zone_is_refused(run):
    assert create(run, "--timezone", "Mars/Olympus").code == 4
    assert create(run, "--timezone", "Mars/Olympus", "--dtstart", "2027-01-01T00:00:00").code == 4


@pytest.mark.parametrize("secret", ["short", "whsec_!!", "whsec_c2hvcnQ="])
def test_a_weak_secret_is_refused_and_not_shown(run, secret):
    result = create(run, "--secret", secret)
    assert result.code == 4
    assert secret not in result.err


@pytest.mark.parametrize(
    ("option", "value"), [("--timeout", "soon"), ("--jitter", "-1"), ("--max-retries", "x")]
)
def test_a_value_of_the_wrong_kind_is_a_usage_error(run, option, value):
    result = create(run, option, value)
    assert result.code == 2
    assert option in result.err


def test_a_configuration_file_with_a_typo_is_refused_with_a_suggestion(run, tmp_path):
    (tmp_path / "typo.yaml").write_text("worker:\n  cuont: 3\n")
    for arguments in (["schedule", "list"], ["config", "show"]):
        result = run(*arguments, "--config", "typo.yaml")
        assert result.code == 4
        assert "typo.yaml: worker.cuont is not a setting; did you mean worker.count?" in result.err
        assert "Hint: " in result.err


def test_a_configuration_file_that_is_not_there_is_refused(run):
    assert run("status", "--config", "nowhere.yaml").code == 4


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PREQUEUER_TICKER_INTERVAL_SECONDS", "601", "at most the window"),
        ("WORKER_COUNT", "0", "must be a whole number from 1"),
        ("API_PORT", "http", "API_PORT"),
    ],
)
def test_a_wrong_setting_names_source_key_and_what_is_allowed(run, monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    result = run("status")
    assert result.code == 4
    assert f"environment {name}" in result.err
    assert said in result.err


def test_a_wrong_secret_setting_is_not_shown(run, monkeypatch):
    monkeypatch.setenv("MONGO_URI", "http://user:hunter2@example.org")
    assert "hunter2" not in run("status").err


def test_nothing_that_was_refused_is_stored(run):
    create(run, url="/foo")
    assert run("schedule", "list", "-o", "json").out == "[]\n"


@pytest.mark.parametrize("reference", ["", "\udcff"])
@pytest.mark.parametrize(
    "arguments",
    [["schedule", "show"], ["schedule", "delete", "-y"], ["events", "show"], ["schedule", "list", "--name"]],
    ids=" ".join,
)
def test_an_empty_or_unreadable_reference_means_nothing(run, arguments, reference):
    assert create(run).code == 0
    assert run(*arguments, reference).code == 2
    assert len(run("schedule", "list", "-o", "ids").out.split()) == 1


@pytest.mark.parametrize("time", ["0001-01-01", "9999-12-31T23:59:59", "+99999999999d", "+999999999d"])
def test_a_time_that_no_calendar_holds_is_refused(run, time):
    for option in ("--after", "--before"):
        result = run("preview", "--rrule", "FREQ=DAILY", "--tz", "Asia/Tokyo", option, time)
        assert result.code == 4
        assert f"{option}: must lie in the years 1900 to 9998" in result.err
    zoned = ("--timezone", "Asia/Tokyo", "--at", time)
    assert run("schedule", "create", "--name", "x", "--callback-url", URL, *zoned).code == 4


def test_the_last_day_of_all_is_shown_as_well_as_it_can_be(run):
    rule = "DTSTART:99991231T230000Z\nRRULE:FREQ=DAILY;COUNT=1"
    result = run("preview", "--rrule", rule, "--tz", "Asia/Tokyo")
    assert result.code == 0
    assert "9999-12-31 23:00:00Z" in result.out


def test_a_page_beyond_all_bounds_is_a_usage_error(run):
    assert run("schedule", "list", "--page", "9" * 30).code == 2
