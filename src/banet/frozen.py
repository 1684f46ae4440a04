"""Settings that are read from outside: frozen, complete, and wrong ones told in one line."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from banet.errors import InputError

__all__ = ["Frozen"]


class Frozen(BaseModel):
    """A value that does not change and knows every one of its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, fields: Any, origin: str) -> Self:
        """Make it from plain values; `origin` says in an error where they came from.

        Raises:
            InputError: in one line, if a field does not exist or a value does not fit.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(str(part) for part in e['loc']) or 'settings'}: {e['msg']}"
                for e in error.errors()
            )
            raise InputError(f"{origin}: {problems}") from error
