"""`rrcli db`: the store itself."""

from rrcli.cli.group import group
from rrcli.cli.output import emit
from rrcli.cli.state import State, pass_state


@group("db", examples="rrcli db init")
def db() -> None:
    """Prepare the store."""


@db.command("init", examples="rrcli db init\nMONGO_URI=mongodb://localhost:27017 rrcli db init -v")
@pass_state
def init(state: State) -> None:
    """Make tables and indexes, whatever the store needs; repeating it changes nothing.

    Daemons and API do this by themselves when they start.
    """
    repository = state.context().repository
    repository.init()
    emit(
        state,
        {"store": repository.description, "ready": True},
        table=lambda: f"The store is ready: {repository.description}",
        ids=lambda view: str(view["store"]),
    )
