"""Options that take one word of several."""

from typing import Any

import click


class Choice(click.Choice[str]):
    """One word of several; of a mistyped one it says which is near."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        from rrcli.core.fields import did_you_mean

        near = did_you_mean(str(value).lower(), self.choices)
        if near is None:
            near = next(
                (each for each in self.choices if value and each.startswith(str(value).lower())), None
            )
        told = f"{value!r} is not one of {', '.join(self.choices)}."
        return f"{told} Did you mean {near}?" if near else told
