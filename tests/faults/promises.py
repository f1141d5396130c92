"""Each line of what is promised about delivery, and the tests that show it."""

FAULTS = "tests/faults"
WORKER = "tests/daemons/test_worker.py"
WORKER_PACE = "tests/daemons/test_worker_pace.py"
AHEAD = "tests/daemons/test_ahead.py"
LEASES = "tests/daemons/test_lost_leases.py"

PROMISES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "The promise",
        "Every occurrence of an active schedule ends as exactly one ledger entry, with one final status and "
        "a reason.",
        (
            f"{FAULTS}/test_promise.py::test_the_promise_holds_in_any_order_of_events",
            "tests/operations/test_window.py::test_every_instant_of_a_downtime_is_accounted_for_once",
            "tests/operations/test_audit.py::test_each_instant_stands_beside_its_entry",
        ),
    ),
    (
        "The promise",
        "Killing any process, any number of times, loses nothing, and calls nothing twice but what was in "
        "flight.",
        (
            f"{FAULTS}/test_daemons_killed.py::test_killing_random_daemons_again_and_again_loses_nothing",
            f"{FAULTS}/test_embedded.py::test_killing_everything_in_the_middle_of_writes_loses_nothing",
            "tests/e2e/test_crashes.py::test_killing_a_daemon_in_the_middle_loses_nothing",
        ),
    ),
    (
        "The promise",
        "Losing Redis entirely loses nothing and repeats nothing.",
        (
            f"{FAULTS}/test_redis.py::test_a_master_of_a_cluster_that_came_back_empty_is_filled_again",
            f"{FAULTS}/test_redis.py::test_another_number_of_partitions_reaches_a_running_system",
            f"{FAULTS}/test_redis.py::test_a_redis_that_was_killed_and_came_back_empty_is_filled_again",
            f"{FAULTS}/test_redis.py::test_a_flushed_redis_is_filled_again",
            f"{FAULTS}/test_redis.py::test_calls_in_flight_are_not_made_again_when_redis_is_emptied",
            f"{LEASES}::test_another_server_is_noticed_without_any_error_when_a_connection_was_made_anew",
            "tests/contract/test_redis_reconnects.py"
            "::test_a_connection_made_in_place_of_one_that_the_server_closed_is_counted",
            f"{LEASES}::test_a_worker_that_stops_while_the_queues_are_away_writes_its_results",
        ),
    ),
    (
        "The promise",
        "A receiver that remembers `webhook-id` sees each occurrence once: the id stays over attempts and "
        "replays.",
        ("tests/unit/test_request.py::test_webhook_id_stays_the_same_over_attempts_and_replays",),
    ),
    (
        "Attempt",
        "Method, URL, headers and body are those of the current revision, as the worker reads it shortly "
        "before the call; POST with a body, else GET.",
        (
            f"{WORKER}::test_an_edit_of_the_request_reaches_events_that_are_queued",
            "tests/unit/test_request.py::test_the_default_method_follows_the_body",
        ),
    ),
    (
        "Attempt",
        "Signatures follow Standard Webhooks 1.0; during rotation every secret signs; a user's header wins, "
        "except over the signature.",
        (
            "tests/unit/test_request.py::test_the_signature_verifies_whatever_the_users_headers_and_body",
            "tests/unit/test_request.py::test_during_rotation_every_secret_signs",
            "tests/unit/test_request.py::test_a_users_header_wins_whatever_its_case",
            "tests/unit/test_request.py::test_a_users_signature_gives_way_to_the_real_one",
        ),
    ),
    (
        "Attempt",
        "2xx is success; 408, 425, 429, 5xx, time-outs and errors of the network are retried; other 4xx are "
        "final; 410 pauses the schedule; redirects are not followed unless asked for.",
        (
            "tests/unit/test_retry.py::test_every_status_code_has_its_verdict",
            f"{WORKER}::test_gone_ends_the_event_and_pauses_the_schedule",
            "tests/daemons/test_sender_guard.py::test_a_redirect_is_the_answer_unless_the_schedule_follows",
            f"{FAULTS}/test_receiver.py::test_every_failure_of_a_receiver_ends_in_one_entry_that_says_why",
        ),
    ),
    (
        "Attempt",
        "Back-off is exponential with full jitter; `Retry-After` is honoured up to the cap; a waiting retry "
        "survives restarts.",
        (
            "tests/unit/test_retry.py::test_the_wait_is_full_jitter_under_the_capped_exponential",
            "tests/unit/test_retry.py::test_any_retry_after_gives_a_wait_between_nothing_and_the_cap",
            f"{WORKER}::test_retry_after_is_honoured",
        ),
    ),
    (
        "Attempt",
        "A receiver that hangs, trickles or sends without end takes nothing from the others.",
        (
            f"{FAULTS}/test_receiver.py::test_ten_hosts_that_hang_do_not_make_ninety_others_late",
            "tests/daemons/test_sender_faults.py::test_a_trickling_answer_is_given_up_on_time",
        ),
    ),
    (
        "Late, missed, overlapping",
        "A call is made at its time; a worker has it up to 100 ms before and holds it no longer, whatever "
        "the clock says.",
        (
            f"{AHEAD}::test_a_call_is_made_at_its_time",
            "tests/daemons/test_sender_life.py::test_a_call_begins_at_its_time_and_holds_up_no_other",
            "tests/daemons/test_sender_life.py"
            "::test_no_call_is_held_longer_than_it_can_have_been_handed_over_ahead",
        ),
    ),
    (
        "Late, missed, overlapping",
        "Downtime is seen, and late occurrences follow the misfire policy: all, latest or skip, within the "
        "window; what is not fired is recorded, a run of them as one entry.",
        (
            f"{WORKER}::test_late_occurrences_follow_the_misfire_policy",
            "tests/operations/test_window.py"
            "::test_latest_fires_the_newest_missed_occurrence_and_records_the_rest_as_one_entry",
            "tests/operations/test_window.py::test_all_never_fires_beyond_the_window",
        ),
    ),
    (
        "Late, missed, overlapping",
        "Overlap: allow, skip, or queue (one at a time, in order).",
        (
            f"{WORKER}::test_overlap_skip_skips_while_an_earlier_one_has_not_ended",
            f"{WORKER}::test_overlap_queue_runs_one_at_a_time_in_order",
            f"{AHEAD}::test_what_ends_before_the_next_is_due_is_no_overlap",
        ),
    ),
    (
        "Late, missed, overlapping",
        "A change of rule, time zone or state supersedes what is queued; none of it fires afterwards, but "
        "for what is due and waits for a free place in a full worker: it may for about a second. Deleting "
        "leaves nothing.",
        (
            f"{WORKER}::test_an_event_of_an_older_rule_never_fires",
            f"{AHEAD}::test_what_no_worker_has_yet_is_taken_out_at_once",
            f"{AHEAD}::test_what_is_taken_out_in_the_last_moment_has_begun_when_that_is_done_or_never_begins",
            f"{WORKER_PACE}::test_what_was_claimed_ahead_goes_back_when_calls_hang",
            "tests/operations/test_schedules.py::test_a_pause_supersedes_what_is_queued_and_makes_no_more",
            "tests/operations/test_schedules.py"
            "::test_a_deleted_schedule_leaves_nothing_in_any_queue_or_collection",
        ),
    ),
    (
        "Late, missed, overlapping",
        "Jitter is the same for one occurrence every time; `run_time` stays nominal.",
        (
            "tests/unit/test_policies.py::test_jitter_is_below_its_bound_and_always_the_same",
            "tests/operations/test_schedules.py::test_jitter_delays_the_call_and_not_the_nominal_instant",
        ),
    ),
    (
        "Replay",
        "The same request again under the same `webhook-id`; the same replay twice enters once "
        "unless forced.",
        (
            "tests/operations/test_replay.py::test_an_event_is_called_again_at_once_with_the_same_webhook_id",
            "tests/operations/test_replay.py::test_the_same_replay_twice_enters_once_unless_forced",
            "tests/operations/test_replay.py::test_the_same_range_twice_enters_once",
        ),
    ),
    (
        "Replay",
        "`audit` sets each instant beside its entry and names what is missing; `why` tells the story of one.",
        (
            "tests/operations/test_audit.py::test_an_instant_without_entry_is_missing",
            "tests/operations/test_audit_laws.py::test_a_month_of_minutes_takes_seconds",
            "tests/operations/test_why.py::test_the_story_of_a_failure_is_told_in_order",
        ),
    ),
    (
        "Crash safety",
        "Claims stand under a lease, are acknowledged after the archive is written, and return when the "
        "lease runs out.",
        (
            f"{WORKER}::test_what_was_archived_before_the_worker_died_is_not_called_again",
            f"{WORKER}::test_claims_of_a_lost_worker_are_called_by_another",
            "tests/contract/test_queues.py::test_reap_returns_the_claims_of_lost_workers_and_no_others",
            "tests/contract/test_races.py::test_each_of_10_000_ids_is_claimed_exactly_once",
            f"{LEASES}::test_what_a_batch_that_broke_off_did_not_reach_is_called_after_all",
        ),
    ),
    (
        "Crash safety",
        "Live events that stand in no queue are queued again: at start, every minute, and as soon as the "
        "queues are found empty or replaced.",
        (
            "tests/daemons/test_reconciler.py::test_lost_queues_are_filled_again_at_once",
            "tests/daemons/test_reconciler.py::test_what_workers_may_be_calling_waits_for_them_to_say_so",
            "tests/daemons/test_prequeuer.py::test_live_events_in_no_queue_are_queued_again",
        ),
    ),
    (
        "Crash safety",
        "The clock may be set forth and back by an hour.",
        (
            f"{FAULTS}/test_clock.py::test_setting_the_clock_by_an_hour_neither_loses_nor_repeats",
            f"{FAULTS}/test_clock.py::test_an_event_waits_for_its_time_again_after_the_clock_was_set_back",
        ),
    ),
    (
        "Crash safety",
        "SIGTERM stops in order, a second one at once; nothing outlives its supervisor.",
        (
            "tests/daemons/test_loop.py::test_a_signal_stops_a_daemon_in_order",
            f"{WORKER}::test_closing_gives_claims_back_to_the_others",
            f"{AHEAD}::test_a_worker_that_stops_gives_back_what_has_not_begun",
            "tests/e2e/test_up.py::test_nothing_outlives_a_supervisor_that_was_killed",
        ),
    ),
    (
        "Crash safety",
        "Servers that are away are waited for, and the waiting is said in one line.",
        (
            "tests/e2e/test_outages.py::test_the_stack_waits_for_its_servers_and_goes_on",
            "tests/e2e/test_outages.py::test_a_daemon_started_before_its_servers_waits_for_them",
            f"{FAULTS}/test_redis.py::test_a_redis_out_of_memory_is_said_with_a_hint_and_waited_for",
        ),
    ),
    (
        "Crash safety",
        "Documents that another program wrote stop no other schedule and no other event.",
        (
            f"{FAULTS}/test_bad_data.py::test_bad_schedules_at_the_head_of_the_queue_stop_no_other",
            f"{FAULTS}/test_bad_data.py::test_bad_events_stop_no_other",
        ),
    ),
    (
        "Security",
        "The resolved address is judged at connect time, whatever the name says the second time.",
        (
            "tests/daemons/test_sender_guard.py::test_a_name_is_judged_by_the_addresses_that_it_resolves_to",
            "tests/daemons/test_sender_guard.py::test_no_spelling_of_an_address_gets_around_the_policy",
            "tests/daemons/test_sender_guard.py::test_the_metadata_address_is_refused_by_default",
        ),
    ),
    (
        "Security",
        "Keys are stored hashed and have scopes; beyond loopback nothing listens without one.",
        (
            "tests/api/test_guard.py::test_no_key_is_in_the_store",
            "tests/api/test_guard.py::test_a_scope_allows_what_it_includes",
            "tests/cli/test_apikey.py::test_nothing_listens_beyond_loopback_without_a_key",
        ),
    ),
    (
        "Security",
        "Credentials stay out of logs.",
        ("tests/unit/test_log.py::test_message_keys_and_exception_are_redacted",),
    ),
)
