"""One of the Dagster services as a part of `fb-qbo up` or `demo`: it ends when that process ends, however it ends.

A parent that is killed can stop nobody, and a daemon that is left behind would start every run beside the next one's. The parent
holds the other end of standard input: when that is closed, this process stops as on Ctrl-C.

    python -m fb_qbo_pipeline.cli.part MODULE ARGUMENTS…
"""

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    """Run the module that the arguments name, as `python -m` would."""
    del sys.argv[0]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main()
