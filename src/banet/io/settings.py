"""Settings that are read from outside: frozen, complete, and wrong ones told in one line."""

from __future__ import annotations

from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from banet.errors import InputError, UnreadableFileError
from banet.io.files import PathLike, existing_file

__all__ = ["Frozen", "read_fields"]


def read_fields(path: PathLike, what: str) -> dict[str, Any]:
    """Read the named fields of a YAML file; `what` says in an error what it should be.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is not YAML with named fields.
    """
    file = existing_file(path, what)
    try:
        fields = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnreadableFileError(f"{file} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(fields, dict):
        raise UnreadableFileError(f"{file} holds no named settings")
    return fields


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
