"""Policies: what a person may be shown, as highest scores with a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ddb_query.errors import UsageError

_FORM = 'a policy file is TOML: name = "mine", max_image_nsfw = 0.2, max_prompt_nsfw = 0.5'


def check_score(name: str, value: object) -> None:
    """See whether a threshold is a score.

    Raises:
        UsageError: It is no number from 0 to 1.
    """
    if value is None:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # NaN is in no order, so it is not in this range.
    if not number or not 0 <= float(str(value)) <= 1:
        raise UsageError(f"{name} is a score from 0 to 1, not {value}")


@dataclass(frozen=True)
class Policy:
    """Thresholds of both scores.

    Attributes:
        name: What it is called; None for thresholds that are no policy's.
        max_image_nsfw: Highest image score, from 0 to 1; None for any.
        max_prompt_nsfw: Highest prompt score, likewise.
        include_blurred: Whether blurred images pass the image threshold.
    """

    name: str | None
    max_image_nsfw: float | None = None
    max_prompt_nsfw: float | None = None
    include_blurred: bool = False

    def __post_init__(self) -> None:
        check_score("max_image_nsfw", self.max_image_nsfw)
        check_score("max_prompt_nsfw", self.max_prompt_nsfw)

    @property
    def open(self) -> bool:
        """Whether it says nothing that could leave an image out, or let one in."""
        return self == Policy(self.name)

    def to_json(self) -> dict[str, object]:
        """Its fields, for a manifest; where no threshold keeps blurred images out, it says none."""
        unset = self.max_image_nsfw is None and not self.include_blurred
        return asdict(self) | ({"include_blurred": None} if unset else {})


POLICIES = {
    "strict": Policy("strict", 0.1, 0.1),
    "moderate": Policy("moderate", 0.2, 0.5),
    "open": Policy("open"),
}


def policy_of(given: str | Path | Mapping[str, object]) -> Policy:
    """A policy by its name, or as a file or a manifest says it.

    Args:
        given: strict, moderate or open; the path of a TOML file; or the fields themselves.

    Raises:
        UsageError: There is no such policy, or its fields make no sense.
    """
    if isinstance(given, str | Path):
        if str(given) in POLICIES:
            return POLICIES[str(given)]
        return _from_fields(_read(Path(given)), str(given))
    if not isinstance(given, Mapping):
        raise UsageError(f"a policy is a name, a file or fields, not {given}", hint=_FORM)
    return _from_fields(given, "the manifest's policy")


def _read(path: Path) -> dict[str, object]:
    import tomllib

    if not path.is_file():
        hint = f"there are {', '.join(POLICIES)}, and files: {_FORM}"
        raise UsageError(f"no policy named {path}", hint=hint)
    try:
        return {"name": path.stem, **tomllib.loads(path.read_text("utf-8"))}
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the policy {path}: {error}", hint=_FORM) from error


def _from_fields(fields: Mapping[str, object], source: str) -> Policy:
    known = Policy.__dataclass_fields__
    for key in fields:
        if key not in known:
            raise UsageError(f"{source}: a policy has no {key}", hint=_FORM)
    name, blurred = fields.get("name"), fields.get("include_blurred")
    if not isinstance(name, str) or not isinstance(blurred, bool | None):
        raise UsageError(f"{source}: name is text, include_blurred true or false", hint=_FORM)
    return Policy(**{**fields, "include_blurred": bool(blurred)})  # type: ignore[arg-type]
