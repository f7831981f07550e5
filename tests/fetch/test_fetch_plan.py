"""Plans: what a fetch would cost, against what it does cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from fetching import SCHEMA, Fetcher, made_part, path_of, row, rows_of
from hub import LoopbackHub

from ddb_query.fetch.options import FetchOptions
from ddb_query.fetch.parts.zip_directory import TAIL_BYTES
from ddb_query.fetch.plan import Plan, fewest_parts, plan
from ddb_query.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fetching import Row

ROWS = {part_id: rows_of(part_id) for part_id in (1, 2, 3)}
PARTS = {path_of(part_id): made_part(rows) for part_id, rows in ROWS.items()}
SOME = [*ROWS[1][5:50:20], *ROWS[2][:3], ROWS[3][40]]


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub(PARTS) as hub:
        yield hub


@pytest.fixture
def fetcher(
    hub: LoopbackHub, tmp_path: Path, one_certificate: Path | None, monkeypatch: pytest.MonkeyPatch
) -> Fetcher:
    if one_certificate is not None:
        monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))
    settings = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
    return Fetcher(hub.endpoint, tmp_path / "images", settings)


def planned(
    fetcher: Fetcher, rows: Sequence[Row], choice: Sequence[tuple[int, int]] = (), **order: object
) -> Plan:
    reader = pa.Table.from_pylist(list(rows), schema=SCHEMA).to_reader()
    return plan(
        reader, fetcher.folder, fetcher.dataset, FetchOptions(**order), fetcher.settings,  # type: ignore[arg-type]
        fetcher.hub(), choice=choice,
    )  # fmt: skip


def test_before_anything_is_known_a_plan_estimates_from_the_mean_image(
    hub: LoopbackHub, fetcher: Fetcher
) -> None:
    found = planned(fetcher, SOME)
    assert (found.images, found.parts, found.exact) == (7, 3, 0)
    assert (found.resolves, found.directories, found.reads) == (3, 3, 7)
    assert found.bytes == 7 * 800_000 + 3 * TAIL_BYTES
    assert (hub.requests, fetcher.folder.exists()) == ([], False)


def test_with_the_directories_known_a_plan_is_exact(
    hub: LoopbackHub, fetcher: Fetcher, tmp_path: Path
) -> None:
    fetcher.into(tmp_path / "other").fetch([ROWS[n][59] for n in ROWS])
    hub.requests.clear()
    hub.sent_bytes = 0
    found = planned(fetcher, SOME)
    fetcher.fetch(SOME)
    assert found.exact == found.images == len(SOME)
    assert (found.resolves, found.reads) == (len(hub.asked("hub")), len(hub.asked("cdn")))
    assert (found.bytes, found.directories) == (hub.sent_bytes, 0)


def test_what_is_there_or_nearby_costs_nothing(fetcher: Fetcher, tmp_path: Path) -> None:
    fetcher.fetch(SOME[:2])
    folder = tmp_path / "zips"
    folder.mkdir()
    (folder / "part-000002.zip").write_bytes(PARTS[path_of(2)])
    found = planned(fetcher, SOME, local=(folder,))
    assert (found.images, found.here, found.nearby, found.parts) == (7, 2, 3, 2)
    assert planned(fetcher, SOME[:2]).requests == 0


def test_a_whole_part_is_planned_as_few_requests(fetcher: Fetcher) -> None:
    found = planned(fetcher, [row(number, 9) for number in range(1000)])
    assert (found.resolves, found.reads) == (1, 48)


def test_blurred_and_unsafe_images_are_counted(fetcher: Fetcher) -> None:
    rows = [*SOME[:2], {**SOME[2], "image_nsfw": 2.0}, {**SOME[3], "image_nsfw": 0.51}]
    rows += [{**SOME[4], "prompt_nsfw": None, "image_nsfw": None}]
    counts = planned(fetcher, rows).counts
    assert (counts.images, counts.blurred, counts.unsafe) == (5, 1, 1)


def test_the_quota_of_the_hub_takes_its_time(fetcher: Fetcher) -> None:
    found = planned(fetcher, [row(number, number + 1) for number in range(2000)])
    assert found.seconds == pytest.approx(2000 * (800_000 + TAIL_BYTES) / 30e6)
    found.resolves = 7000
    found.bytes = 0
    assert found.seconds == 600


def test_a_sample_from_fewer_parts_is_offered_when_there_are_some(fetcher: Fetcher) -> None:
    found = planned(fetcher, SOME, choice=[(1, 60), (2, 60), (3, 60)])
    assert found.alternative is not None
    assert (found.alternative.parts, found.alternative.requests, found.requests) == ((1,), 9, 13)
    assert planned(fetcher, SOME, choice=[(1, 3), (2, 3), (3, 1)]).alternative is None


@pytest.mark.parametrize(
    ("choice", "images", "parts"),
    [
        ([(1, 5), (2, 9), (3, 5)], 9, (2,)),
        ([(1, 5), (2, 9), (3, 5)], 10, (1, 2)),
        ([(1, 5), (2, 9), (3, 5)], 100, (1, 2, 3)),
        ([], 5, ()),
    ],
)  # fmt: skip
def test_the_fewest_parts_are_those_with_most_to_choose_from(
    choice: list[tuple[int, int]], images: int, parts: tuple[int, ...]
) -> None:
    assert fewest_parts(choice, images) == parts
