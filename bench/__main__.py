"""`make bench`: prepares servers of its own, measures or profiles, and takes everything away again, also on Ctrl+C.

Progress goes to the standard error, the report alone to the standard output.
"""

import contextlib
import importlib
import signal
import sys

import django

from bench import options, servers

ENDED_BY_CTRL_C = 130


def main() -> int:
    asked = options.read(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        with contextlib.redirect_stdout(sys.stderr), servers.prepared_environment():
            django.setup()
            # Only now: it imports models, and those the settings.
            told = importlib.import_module(_module(asked)).run(asked)
    except servers.NoServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Ended. What was made for it is gone.\n")
        return ENDED_BY_CTRL_C
    sys.stdout.write(told)
    return 0


def _module(asked: options.Options) -> str:
    if asked.handover:
        return "bench.handover"
    if asked.importing:
        return "bench.importing"
    if asked.mass:
        return "bench.mass"
    if asked.lists:
        return "bench.lists"
    return "bench.profiling" if asked.profile else "bench.measure"


def _end(_number: int, _frame: object) -> None:
    """The first signal begins to tidy up; those after it don't disturb that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
