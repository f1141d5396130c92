"""`rrcli db`: the store itself."""

from rrcli.cli.group import group
from rrcli.cli.output import emit
from rrcli.cli.state import State, pass_state
from rrcli.cli.text import count
from rrcli.errors import SchedulerError


@group("db", examples="rrcli db init\nrrcli db rekey")
def db() -> None:
    """Prepare the store; encrypt it anew."""


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


@db.command("rekey", examples="rrcli db rekey\nSECURITY_ENCRYPTION_KEY=$NEW,$OLD rrcli db rekey")
@pass_state
def rekey(state: State) -> None:
    """Encrypt what is stored with the first key of security.encryption_key.

    After a new key was put first, and after encryption was turned on; everything may be running meanwhile.
    When it is done, the old keys can be left out.
    """
    from rrcli.operations import rekey as operation

    done = operation.rekey(state.context())
    emit(
        state,
        {"changed": done.changed, "unreadable": list(done.unreadable)},
        table=lambda: f"Encrypted anew: {count(done.changed, 'schedule')}",
        ids=lambda view: "\n".join(view["unreadable"]),
    )
    if done.unreadable:
        some = ", ".join(done.unreadable[:5])
        raise SchedulerError(
            f"No key opens what is in {count(len(done.unreadable), 'schedule')}: {some}.",
            hint="Add the key they were written with to security.encryption_key, after the first.",
        )
