"""Types a session at the real shell and writes what the screen shows into README.md.

python tests/support/record_shell.py
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import installed
from terminal import Terminal

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"(<!-- shell session -->\n```text\n)(.*?)(```\n<!-- end -->)", re.DOTALL)

TYPED = (
    "select sampler_name, count(*) as images from images group by all order by images desc, 1;",
    "select sampler_name, round(images / sum(images) over (), 4) as share from _ limit 3;",
    "select promt from images;",
    ".set words 'castle \"matte painting\" -night'",
    "select prompt, images from prompts join search($words) using (prompt_id) order by 1 limit 2;",
)


def recorded() -> str:
    """The screen after the session, without the banner."""
    subprocess.run(
        [installed.ddb(), "--dataset", "demo", "search", "castle"],
        check=True, capture_output=True,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        config = {"DDB_CONFIG_DIR": f"{folder}/config", "DDB_STATE_DIR": f"{folder}/state"}
        with Terminal("--dataset", "demo", columns=100, rows=60, env=config) as shell:
            shell.wait_for_prompt("demo>").run(".timer off").wait_for_prompt("demo>")
            for text in TYPED:
                shell.run(text).wait_for_prompt("demo>")
            return "\n".join(shell.lines[2:-1]) + "\n"


def main() -> None:
    """Bring the README up to date."""
    text = README.read_text("utf-8")
    renewed = BLOCK.sub(lambda found: found[1] + recorded() + found[3], text)
    README.write_text(renewed, "utf-8")


if __name__ == "__main__":
    main()
