"""What a person means by an id, the beginning of one, or a name: for command lines elsewhere."""

import falcon

from rrcli.core.fields import Text
from rrcli.errors import FieldError
from rrcli.operations.views import event_view, schedule_view
from rrcli_api.errors import bad_parameters
from rrcli_api.media import render
from rrcli_api.requests import query
from rrcli_api.resource import Resource

CANDIDATES = 3

_REFERENCE = Text(200)
_IDS = Text(2500, form=r"[0-9a-f]{24}(,[0-9a-f]{24})*", form_name="ids with commas between them")


class ResolveSchedules(Resource):
    """Up to three schedules that a reference fits, and those that have one of the given ids."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        values = query(req, {"reference": _REFERENCE, "ids": _IDS})
        schedules = self.context.repository.schedules
        found = list(schedules.get(values["ids"].split(",")).values()) if "ids" in values else []
        if "reference" in values:
            found += schedules.resolve(values["reference"], CANDIDATES)
        now, exclusions = self.context.now(), self.context.exclusions(found)
        views = [schedule_view(each, now, exclusions=exclusions[each.id]) for each in found]
        render(resp, {"schedules": views})

    on_head = on_get


class ResolveEvents(Resource):
    """Up to three events, live or archived, whose id begins so."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        values = query(req, {"reference": _REFERENCE})
        if "reference" not in values:
            raise bad_parameters([FieldError(field="reference", value=None, allowed="is required")])
        found = self.context.repository.events.resolve(values["reference"], CANDIDATES)
        render(resp, {"events": [event_view(each) for each in found]})

    on_head = on_get
