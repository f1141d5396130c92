"""docs/reference/commands-and-tests.md: every command and endpoint, and the tests that show it."""

from collections.abc import Mapping, Sequence

HEAD = """\
# Commands, endpoints, and the tests that show them

Every command of `rrcli`, every operation of the REST service and the pages of its dashboard, each with
tests that drive it. A test fails when one is missing here, or when a test that is named here does not exist.
The tests of most commands run twice: on a store, and with `--server` by way of the REST service.
"""

_METHODS = ("GET ", "POST ", "PUT ", "PATCH ", "DELETE ")
_CLI, _API = "tests/cli/test_", "tests/api/test_"
_PROGRAM = "tests/e2e/test_programs.py::test_a_program_runs_under_its_own_command_and_shows_its_figures"
_DAEMON = (_PROGRAM, "tests/e2e/test_crashes.py::test_killing_a_daemon_in_the_middle_loses_nothing")

COMMANDS: Mapping[str, Sequence[str]] = {
    "up": ("tests/e2e/test_up.py::test_a_killed_daemon_comes_back_and_ctrl_c_leaves_no_process",),
    "demo": ("tests/e2e/test_up.py::test_the_demo_loses_nothing",),
    "daemon prequeuer": _DAEMON,
    "daemon dispatcher": _DAEMON,
    "daemon worker": _DAEMON,
    "api": (_PROGRAM, f"{_API}server.py::test_the_service_answers_over_http"),
    "schedule create": (
        f"{_CLI}schedules.py::test_create_says_name_id_rule_and_the_next_three_occurrences",
        f"{_CLI}schedules.py::test_every_option_reaches_its_field",
        f"{_CLI}schedules.py::test_at_runs_once_at_that_instant",
        f"{_CLI}timing.py::test_a_cron_line_makes_a_schedule_and_is_shown_as_a_rule",
        f"{_CLI}timing.py::test_an_interval_begins_now_or_at_dtstart",
    ),
    "schedule list": (
        f"{_CLI}schedules.py::test_list_filters_and_pages",
        f"{_CLI}terminal.py::test_the_list_at_80_columns",
    ),
    "schedule show": (f"{_CLI}schedules.py::test_show_tells_everything_and_what_comes_next",),
    "schedule update": (f"{_CLI}schedules.py::test_update_changes_what_is_given_and_nothing_else",),
    "schedule edit": (
        f"{_CLI}edit.py::test_what_is_changed_in_the_editor_is_stored",
        f"{_CLI}edit.py::test_what_is_refused_comes_again_with_the_reasons",
    ),
    "schedule delete": (
        f"{_CLI}schedules.py::test_delete_with_yes_leaves_nothing",
        f"{_CLI}schedules.py::test_delete_asks_on_no_terminal_without_yes",
    ),
    "schedule pause": (f"{_CLI}schedules.py::test_pause_resume_and_trigger",),
    "schedule resume": (f"{_CLI}schedules.py::test_pause_resume_and_trigger",),
    "schedule trigger": (f"{_CLI}schedules.py::test_pause_resume_and_trigger",),
    "schedule skip": (f"{_CLI}skips.py::test_skip_and_unskip",),
    "schedule unskip": (f"{_CLI}skips.py::test_skip_and_unskip",),
    "schedule move": (f"{_CLI}skips.py::test_times_are_on_the_clock_of_the_schedule",),
    "schedule replay": (
        f"{_CLI}replay.py::test_a_range_is_replayed_once",
        f"{_CLI}db.py::test_a_replay_of_many_asks_and_refuses_where_it_cannot_ask",
    ),
    "schedule audit": (f"{_CLI}replay.py::test_the_audit_counts_and_lists",),
    "schedule import": (f"{_CLI}ics.py::test_events_become_schedules_and_a_second_time_changes_nothing",),
    "schedule export": (f"{_CLI}ics.py::test_an_export_comes_back_to_the_same_schedules",),
    "events pending": (f"{_CLI}events.py::test_pending_lists_what_waits_next_first",),
    "events history": (f"{_CLI}events.py::test_history_shows_outcome_tries_code_lateness_and_message",),
    "events show": (f"{_CLI}events.py::test_show_tells_the_whole_story",),
    "events why": (f"{_CLI}replay.py::test_why_tells_the_story_of_an_event",),
    "events cancel": (f"{_CLI}events.py::test_cancel_takes_a_waiting_event_out",),
    "events replay": (f"{_CLI}replay.py::test_an_event_is_replayed_once_unless_forced",),
    "events verify": (f"{_CLI}skips.py::test_a_captured_request_is_valid_or_what_is_wrong_is_said",),
    "events watch": (
        f"{_CLI}watch.py::test_each_change_is_a_line_once",
        f"{_CLI}watch.py::test_an_outage_is_told_once_and_survived",
    ),
    "calendar import": (f"{_CLI}skips.py::test_a_calendar_from_import_to_delete",),
    "calendar list": (f"{_CLI}skips.py::test_a_calendar_from_import_to_delete",),
    "calendar show": (f"{_CLI}skips.py::test_a_calendar_from_import_to_delete",),
    "calendar delete": (f"{_CLI}skips.py::test_a_calendar_from_import_to_delete",),
    "preview": (
        f"{_CLI}preview.py::test_a_numbered_table_with_utc_local_weekday_and_how_long_until_then",
        f"{_CLI}timing.py::test_months_stand_side_by_side_with_their_days_marked",
        f"{_CLI}timing.py::test_explain_says_the_rule_in_english_and_what_is_odd",
    ),
    "apply": (f"{_CLI}apply.py::test_a_file_creates_what_it_declares_and_a_second_time_changes_nothing",),
    "export": (f"{_CLI}apply.py::test_a_revealed_export_goes_into_another_store",),
    "simulate": (f"{_CLI}simulate.py::test_a_table_of_peaks_and_a_picture",),
    "status": (
        f"{_CLI}status_config_db.py::test_status_as_json",
        "tests/e2e/test_cli_walk.py::test_status_sees_the_stack",
    ),
    "top": (f"{_CLI}top.py::test_it_shows_status_and_ends_on_q",),
    "doctor": (
        f"{_CLI}doctor.py::test_a_sound_installation_is_0_and_says_so",
        f"{_CLI}doctor.py::test_clocks_that_differ_are_a_problem",
    ),
    "config show": (f"{_CLI}status_config_db.py::test_config_show_lists_every_key_with_value_and_source",),
    "config init": (
        f"{_CLI}status_config_db.py"
        "::test_config_init_writes_a_file_that_documents_every_key_and_changes_nothing",
    ),
    "apikey create": (f"{_CLI}apikey.py::test_a_new_key_alone_goes_to_stdout",),
    "apikey list": (f"{_CLI}apikey.py::test_the_list_has_no_secret_and_says_what_is_revoked",),
    "apikey revoke": (f"{_CLI}apikey.py::test_a_key_is_revoked_by_id_key_or_name",),
    "db init": (f"{_CLI}status_config_db.py::test_db_init_says_in_one_line_that_the_store_is_ready",),
    "db check": (f"{_CLI}db.py::test_what_belongs_nowhere_is_found",),
    "db purge": (f"{_CLI}db.py::test_purge_deletes_what_ended_before_and_nothing_else",),
    "db rekey": (f"{_CLI}status_config_db.py::test_rekey_encrypts_what_is_stored",),
    "completion": (
        f"{_CLI}completion.py::test_schedules_events_and_calendars_are_offered",
        f"{_CLI}completion.py::test_the_tab_key_completes_names_with_blanks_colons_and_commas",
    ),
}

_STORED = f"{_API}schedules.py::test_a_new_schedule_is_shown_whole_with_what_is_secret_hidden"
_CALENDARS = f"{_API}skips.py::test_a_calendar_is_put_listed_read_and_deleted"
_SKIPS = f"{_API}skips.py::test_skip_unskip_and_move_answer_the_schedule"
_OPEN = f"{_API}guard.py::test_health_and_description_are_open_to_all"
_RESOLVED = f"{_CLI}schedules.py::test_a_schedule_is_found_by_name_id_and_beginning_of_id"

OPERATIONS: Mapping[str, Sequence[str]] = {
    "GET /api/schedules": (f"{_API}schedules.py::test_lists_are_filtered_by_state_name_and_tag",),
    "POST /api/schedules": (f"{_API}examples.py::test_1_create_a_schedule",),
    "POST /api/schedules:batch": (f"{_API}generated_client.py::test_a_batch_is_typed_too",),
    "GET /api/schedules/{schedule_id}": (_STORED,),
    "PUT /api/schedules/{schedule_id}": (f"{_API}examples.py::test_2_update_it",),
    "PATCH /api/schedules/{schedule_id}": (
        f"{_API}schedules.py::test_a_change_keeps_the_fields_that_are_not_given",
    ),
    "DELETE /api/schedules/{schedule_id}": (f"{_API}examples.py::test_3_delete_it",),
    "GET /api/schedules/{schedule_id}.ics": (
        f"{_API}feeds.py::test_a_schedule_is_a_calendar_of_its_runs_to_come",
    ),
    "POST /api/schedules/{schedule_id}/pause": (
        f"{_API}schedules.py::test_pause_says_why_and_resume_forgets_it",
    ),
    "POST /api/schedules/{schedule_id}/resume": (
        f"{_API}schedules.py::test_pause_says_why_and_resume_forgets_it",
    ),
    "POST /api/schedules/{schedule_id}/trigger": (
        f"{_API}schedules.py::test_trigger_makes_an_event_that_is_due_now",
    ),
    "POST /api/schedules/{schedule_id}/skip": (_SKIPS,),
    "POST /api/schedules/{schedule_id}/unskip": (_SKIPS,),
    "POST /api/schedules/{schedule_id}/move": (_SKIPS,),
    "POST /api/schedules/{schedule_id}/replay": (
        f"{_API}replay.py::test_a_range_is_replayed_in_bounded_parts",
        f"{_CLI}remote.py::test_a_replay_in_several_requests_keeps_its_rate",
    ),
    "GET /api/schedules/{schedule_id}/audit": (
        f"{_API}replay.py::test_the_audit_goes_on_where_a_part_ended",
    ),
    "GET /api/schedules/{schedule_id}/why": (
        f"{_API}replay.py::test_the_story_of_an_instant_without_an_event",
    ),
    "GET /api/schedules/{schedule_id}/occurrences": (
        f"{_API}preview.py::test_occurrences_of_a_schedule_are_listed_whatever_its_state",
    ),
    "GET /api/schedules/{schedule_id}/events/pending": (f"{_API}examples.py::test_4_list_pending_events",),
    "GET /api/schedules/{schedule_id}/events/history": (f"{_API}examples.py::test_5_list_archived_events",),
    "GET /api/events": (f"{_API}events.py::test_events_of_all_schedules_are_listed_with_their_number",),
    "GET /api/events/{event_id}": (f"{_API}events.py::test_a_cancelled_event_moves_to_the_history",),
    "POST /api/events/{event_id}/cancel": (f"{_API}events.py::test_a_cancelled_event_moves_to_the_history",),
    "POST /api/events/{event_id}/replay": (f"{_API}replay.py::test_an_event_is_replayed_once_unless_forced",),
    "GET /api/events/{event_id}/why": (f"{_API}replay.py::test_the_story_of_an_event",),
    "GET /api/status": ("tests/e2e/test_cli_walk.py::test_status_sees_the_stack",),
    "GET /api/resolve/schedules": (_RESOLVED,),
    "GET /api/resolve/events": (f"{_CLI}events.py::test_show_tells_the_whole_story",),
    "GET /api/calendar.ics": (f"{_API}feeds.py::test_all_schedules_or_those_of_a_tag",),
    "GET /api/calendars": (_CALENDARS,),
    "GET /api/calendars/{name}": (_CALENDARS,),
    "PUT /api/calendars/{name}": (_CALENDARS,),
    "DELETE /api/calendars/{name}": (_CALENDARS,),
    "POST /api/preview": (f"{_API}preview.py::test_a_rule_without_start_starts_now",),
    "GET /healthz": (_OPEN,),
    "GET /readyz": (_OPEN,),
    "GET /metrics": (f"{_API}metrics.py::test_all_that_is_declared_is_shown",),
    "GET /docs/openapi.yml": (f"{_API}specification.py::test_it_is_served_as_it_is",),
    "GET /swagger-ui": ("tests/browser/test_swagger_ui.py::test_try_it_out_creates_a_schedule",),
    "GET /swagger-ui/{asset}": (f"{_API}specification.py::test_swagger_ui_comes_whole_from_this_service",),
}

_PAGES, _SEEN = f"{_API}pages.py::test_", "tests/browser/test_dashboard.py::test_"
_WHOLE_WAY = f"{_SEEN}a_person_makes_a_schedule_looks_when_it_runs_and_sees_it_run"
_PAUSED = (f"{_SEEN}pause_and_resume_are_seen_at_once", f"{_PAGES}pause_and_resume")

PAGES: Mapping[str, Sequence[str]] = {
    "/": (
        _WHOLE_WAY,
        f"{_PAGES}the_first_page_lists_schedules_with_next_run_and_last_runs",
        f"{_PAGES}it_finds_by_name_tag_and_state",
    ),
    "/schedules/new": (_WHOLE_WAY, f"{_PAGES}refused_fields_say_why_beside_them_and_keep_what_was_typed"),
    "/schedules/{schedule_id}": (
        f"{_PAGES}one_schedule_shows_its_rule_in_words_its_days_and_its_history",
        f"{_SEEN}pages_fit_the_screen_and_can_be_read_by_all",
    ),
    "Pause, Resume": _PAUSED,
    "Run now": (_WHOLE_WAY, f"{_PAGES}run_now_leads_to_the_new_event"),
    "Replay": (
        f"{_SEEN}a_failed_call_is_replayed_and_the_history_has_both",
        f"{_PAGES}what_failed_within_a_week_is_replayed",
    ),
    "Delete": (f"{_SEEN}delete_asks_first", f"{_PAGES}delete_leads_back_to_the_list"),
    "/events/{event_id}": (f"{_PAGES}an_event_tells_its_story_and_is_called_again_once",),
    "Cancel": (f"{_PAGES}a_waiting_event_can_be_cancelled",),
    "signing in and out": (
        f"{_PAGES}with_keys_a_person_signs_in_and_comes_back_to_the_page",
        f"{_PAGES}signing_out_forgets_the_key",
    ),
}


def shown_page(made_by: str) -> str:
    """The page, `made_by` a remark near its top."""
    parts = [
        HEAD.rstrip(),
        made_by,
        "## Commands",
        _table("command", {f"rrcli {name}": tests for name, tests in COMMANDS.items()}),
        "## REST",
        "Beside these, Schemathesis drives every operation by its specification: "
        f"{_link(f'{_API}schemathesis.py::test_the_service_does_what_its_specification_says')}.",
        _table("operation", OPERATIONS),
        "## Dashboard",
        _table("page or button", PAGES),
    ]
    return "\n\n".join(parts) + "\n"


def _table(title: str, rows: Mapping[str, Sequence[str]]) -> str:
    lines = [f"| {title} | shown by |", "|---|---|"]
    lines += [f"| {_name(name)} | {'<br>'.join(map(_link, tests))} |" for name, tests in rows.items()]
    return "\n".join(lines)


def _name(name: str) -> str:
    """Buttons have words, everything else is code."""
    return f"`{name}`" if name.startswith(("/", "rrcli ", *_METHODS)) else name


def _link(test: str) -> str:
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../../{path})"
