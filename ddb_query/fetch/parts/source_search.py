"""The search for a part's images from source to source: where it stands, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ddb_query.fetch.target.ledger import Difference, Outcome, WantedImage, json_name, not_compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ddb_query.fetch.parts.local_parts import Source


class SubJob(NamedTuple):
    """Another job, and the images that are its business from now on."""

    job: Callable[[], Iterator[Event]]
    names: frozenset[str]


class Compared(NamedTuple):
    """A part's JSON beside the metadata."""

    part_id: int
    differences: tuple[Difference, ...]


Event = Outcome | SubJob | Compared | str


@dataclass
class Search:
    """The search for images of one part, from source to source.

    Attributes:
        part_id: The part.
        tries: How often it was begun: again when the part on the Hub has changed meanwhile.
        sources: The nearest first.
        problems: By image, what the sources said that were asked and did not give it.
    """

    part_id: int
    tries: int = 1
    sources: tuple[Source, ...] = ()
    problems: dict[str, list[str]] = field(default_factory=dict)

    def add(self, names: Iterable[str], problem: str) -> None:
        """Have it said of images why a source did not give them."""
        for name in names:
            self.problems.setdefault(name, []).append(problem)

    def given_up(self, item: WantedImage, *, again: bool = False) -> Event:
        """What is written down of an image that no source gave."""
        error = "; ".join(dict.fromkeys(self.problems[item.name]))
        if is_json(item):
            return Compared(self.part_id, (not_compared(self.part_id, error),))
        return Outcome(item.name, error=error, again=again)


class Step(NamedTuple):
    """The search where it stands: the source that is asked now."""

    search: Search
    number: int

    @property
    def source(self) -> Source:
        """The source that is asked."""
        return self.search.sources[self.number]

    @property
    def next(self) -> Step | None:
        """The same with the next source; None after the last."""
        following = Step(self.search, self.number + 1)
        return following if following.number < len(self.search.sources) else None


def is_json(item: WantedImage) -> bool:
    """Whether it is the JSON of a part that is sought, not an image."""
    return item.name == json_name(item.part_id)


def settled(event: Event) -> frozenset[str]:
    """Names of what is somebody else's business after an event."""
    match event:
        case Outcome():
            return frozenset([event.name])
        case Compared():
            return frozenset([json_name(event.part_id)])
        case SubJob():
            return event.names
        case str():
            return frozenset()
