"""Where each page stands."""

from collections.abc import Callable
from typing import Any

import falcon

from rrcli.core.api_keys import ApiKey
from rrcli.operations.context import Context
from rrcli_api.pages import assets, create, event, overview, schedule, session
from rrcli_api.pages.paths import ASSETS, SIGN_IN, SIGN_OUT


def install(app: falcon.App[Any, Any], context: Context, find_key: Callable[[str], ApiKey | None]) -> None:
    """Add the pages that need the store; `find_key` gives the API key that a text is."""
    one, that = "/schedules/{schedule_id}", "/events/{event_id}"
    app.add_route("/", overview.Overview(context))
    app.add_route("/schedules/new", create.NewSchedule(context))
    app.add_route(one, schedule.OneSchedule(context))
    app.add_route(f"{one}/pause", schedule.Pause(context))
    app.add_route(f"{one}/resume", schedule.Resume(context))
    app.add_route(f"{one}/trigger", schedule.Trigger(context))
    app.add_route(f"{one}/replay", schedule.ReplayFailed(context))
    app.add_route(f"{one}/delete", schedule.Delete(context))
    app.add_route(that, event.OneEvent(context))
    app.add_route(f"{that}/replay", event.Replay(context))
    app.add_route(f"{that}/cancel", event.Cancel(context))
    app.add_route(SIGN_IN, session.SignIn(find_key))


def install_open(app: falcon.App[Any, Any]) -> None:
    """Add what needs no store."""
    app.add_route(f"{ASSETS}{{name}}", assets.Asset())
    app.add_route(SIGN_OUT, session.SignOut())
