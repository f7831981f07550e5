"""What the benchmarks share: processes timed with their peak memory, results with their origin."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("duckdb", "polars", "pyarrow", "pandas", "typer")


@dataclass(frozen=True)
class Measured:
    """A command's best time over its tries, and its highest memory.

    Attributes:
        seconds: The best of all tries.
        tries: Seconds of each.
        peak_megabytes: Highest resident memory of any try.
        cpu_seconds: User and system time of the try that took the least.
    """

    seconds: float
    tries: list[float]
    peak_megabytes: float
    cpu_seconds: float


def measure(*commands: list[str], tries: int = 3) -> list[Measured]:
    """Run commands in turns, so that a noisy moment hits all of them; each in a new process."""
    seconds: list[list[float]] = [[] for _ in commands]
    peaks = [0.0] * len(commands)
    cpu = [float("inf")] * len(commands)
    for _ in range(tries):
        for place, command in enumerate(commands):
            took, peak, busy = _run(command)
            seconds[place].append(round(took, 4))
            peaks[place] = max(peaks[place], peak)
            cpu[place] = min(cpu[place], busy)
    return [
        Measured(min(s), s, round(p, 1), round(c, 2))
        for s, p, c in zip(seconds, peaks, cpu, strict=True)
    ]


def python(code: str) -> list[str]:
    """A command that runs Python code in a bare interpreter."""
    return [sys.executable, "-c", code]


def ddb(*arguments: str) -> list[str]:
    """The installed `ddb` beside this interpreter."""
    return [str(Path(sys.executable).with_name("ddb")), *arguments]


def record(name: str, rows: list[dict[str, object]], data: Path | None = None) -> None:
    """Print the rows, and write them with machine, versions, data and command."""
    for row in rows:
        print("  ".join(f"{key}={_short(value)}" for key, value in row.items()))
    found = {
        "command": "python "
        + " ".join([Path(sys.argv[0]).name, *map(_without_folder, sys.argv[1:])]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cores": os.cpu_count(),
            "memory_gigabytes": round(
                os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1
            ),
        },
        "versions": {"python": platform.python_version(), **{n: version(n) for n in LIBRARIES}},
        "data": {"file": data.name, "bytes": data.stat().st_size} if data else None,
        "results": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def recorded(name: str) -> list[dict[str, object]]:
    """The rows of the results that were written last under a name."""
    path = RESULTS / f"{name}.json"
    return list(json.loads(path.read_text("utf-8"))["results"]) if path.exists() else []


def as_row(measured: Measured) -> dict[str, object]:
    """A measurement as a part of a result row."""
    return asdict(measured)


def _run(command: list[str]) -> tuple[float, float, float]:
    # An installed package has its bytecode; a checkout must be allowed to keep it.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    )
    _, errors = process.stderr, process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stderr:
        process.stderr.close()
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}: {errors.decode()[-500:]}")
    kilobytes = usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss / 1024
    return took, kilobytes / 1024, usage.ru_utime + usage.ru_stime


def _short(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


def _without_folder(argument: str) -> str:
    return Path(argument).name if os.sep in argument else argument
