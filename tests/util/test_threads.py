"""Work on a second thread, and Ctrl-C while it is waited for."""

from __future__ import annotations

import subprocess
import sys

PRESSED = """
import os, signal, threading, time
from ddb_query.util.background import behind

done = []

def work(item):
    time.sleep(1)
    done.append(item)

def press():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)

try:
    with behind(work) as put:
        for item in range(3):
            put(item)
        threading.Thread(target=press).start()
except KeyboardInterrupt:
    print(done)
    time.sleep(1.5)
    print(done)
"""


def test_ctrl_c_leaves_no_thread_at_work_on_what_is_closed_then() -> None:
    # In a process of its own: who runs the tests may hear the signal too.
    ran = subprocess.run(
        [sys.executable, "-c", PRESSED], capture_output=True, check=True, timeout=60, text=True
    )
    assert ran.stdout == "[0]\n[0]\n", "what had begun is done, and nothing else is begun"
