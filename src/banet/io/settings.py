"""Settings that are read from outside: frozen, complete, and wrong ones told in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from banet.errors import InputError, UnreadableFileError, one_line
from banet.io.files import PathLike, at_home, existing_file, write_text

__all__ = ["Frozen", "did_you_mean", "over", "read_fields"]


class _Loader(yaml.SafeLoader):
    """Reads YAML as YAML 1.2 does in two things: days such as 2020-08-01 are text, no key stands twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the class above declares it
        first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Make a mapping of a node, each of whose own keys stands once."""
        met: dict[tuple[str, str], yaml.Node] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and met.setdefault((key.tag, key.value), key) is not key:
                lines = met[key.tag, key.value].start_mark.line + 1, key.start_mark.line + 1
                raise InputError(f"the key {key.value} stands twice, on lines {lines[0]} and {lines[1]}")
        return super().construct_mapping(node, deep)


def read_fields(path: PathLike, what: str) -> dict[str, Any]:
    """Read the named fields of a YAML file; `what` says in an error what it should be.

    In text `~/` is the home folder.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableFileError: if it is not YAML with named fields.
        InputError: if a key stands twice.
    """
    file = existing_file(path, what)
    try:
        fields = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnreadableFileError(f"{file} is not YAML: {one_line(error)}") from error
    except InputError as error:
        raise InputError(f"{file}: {error}; keep one of them") from error
    if not isinstance(fields, dict):
        raise UnreadableFileError(f"{file} holds no named settings")
    return dict(_each(fields))


def _each(value: Any) -> Any:
    """Return a value of YAML with the home folder in full."""
    if isinstance(value, dict):
        return {key: _each(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_each(held) for held in value]
    return at_home(value) if isinstance(value, str) else value


def over(below: Any, above: Any) -> Any:
    """Return settings over others: mappings are merged part by part, everything else is replaced.

    >>> over({"a": {"b": 1, "c": 2}, "d": [3]}, {"a": {"b": 4}, "d": [5]})
    {'a': {'b': 4, 'c': 2}, 'd': [5]}
    """
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {name: over(below.get(name), value) for name, value in above.items()}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return advice on a name that nobody knows: the nearest of the known ones, or all of them.

    >>> did_you_mean("treshold", ["threshold", "tile"])
    "did you mean 'threshold'?"
    >>> did_you_mean("colour", ["threshold", "tile"])
    'known are: threshold, tile'
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(names)}"


class Frozen(BaseModel):
    """A value that does not change and knows every one of its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _no_yes_for_a_number(cls, fields: Any) -> Any:
        """Refuse a yes or no where a number belongs: pydantic takes it for 1 or 0."""
        for name, value in fields.items() if isinstance(fields, dict) else ():
            field = cls.model_fields.get(name)
            if isinstance(value, bool) and field is not None and not _takes_yes(field.annotation):
                raise ValueError(f"{name} is no yes or no, found {'yes' if value else 'no'}")
        return fields

    @classmethod
    def parse(cls, fields: Any, origin: str) -> Self:
        """Make it from plain values; `origin` says in an error where they came from.

        Raises:
            InputError: in one line, if a field does not exist or a value does not fit.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            problems = "; ".join(cls._fault(found) for found in error.errors())
            raise InputError(f"{origin}: {problems}") from error

    def save(self, path: PathLike) -> Path:
        """Write it as YAML and return its path.

        Raises:
            OutputError: if it cannot be written.
        """
        return write_text(path, yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False))

    @classmethod
    def _fault(cls, found: Any) -> str:
        """Say which setting is wrong, and why."""
        where = ".".join(str(part) for part in found["loc"]) or "settings"
        if found["type"] == "extra_forbidden" and len(found["loc"]) == 1:
            return f"no setting {where!r}; {did_you_mean(where, cls.model_fields)}"
        own = found["type"] == "value_error"  # of one of our validators
        return f"{where}: {found['ctx']['error'] if own else found['msg']}"

    @classmethod
    def of_keywords(cls, function: str, given: Mapping[str, Any], also: Iterable[str] = ()) -> Self:
        """Make it from the keywords that a Python function was called with.

        Args:
            function: its name, for errors.
            given: the keywords.
            also: keywords that the function takes besides the fields, for the advice.

        Raises:
            TypeError: if a keyword is no field, as Python itself raises; with the nearest one.
            InputError: in one line, if a value does not fit.
        """
        for name in given:
            if name not in cls.model_fields:
                advice = did_you_mean(name, {*cls.model_fields, *also})
                raise TypeError(f"{function}() got an unexpected keyword argument {name!r}; {advice}")
        try:
            return cls.model_validate(dict(given))
        except ValidationError as error:
            raise InputError(f"{function}: {'; '.join(map(_problem, error.errors()))}") from error


def _takes_yes(kind: Any) -> bool:
    """Tell whether a field of this type may be a yes or no."""
    return kind in (bool, Any) or any(_takes_yes(part) for part in get_args(kind))


def _problem(error: Any) -> str:
    """Say in words which value does not fit, why, and what was found."""
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "value_error":  # one of our own validators: its words are complete
        return str(error["ctx"]["error"])
    return f"{where}: {error['msg']}, found {error['input']!r}"
