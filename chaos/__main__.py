"""`make chaos`: servers and processes of its own, one scenario after the other; everything is gone at the end.

Also on Ctrl+C and after a failure. Progress goes to the standard error, the tables to the standard output. Ends with 1
if a promise was broken.
"""

import contextlib
import importlib
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from typing import TextIO

import django

from chaos import ground, options
from chaos.ground import Ground
from chaos.options import Options
from chaos.postgresql import NotInstalledError
from chaos.report import Report

BROKEN = 1
ENDED_BY_CTRL_C = 130

# The module that runs it, and what it is given beyond the options.
_SCENARIOS: dict[str, tuple[object, ...]] = {
    "outgoing": ("outgoing", signal.SIGKILL),
    "outgoing-term": ("outgoing", signal.SIGTERM),
    "incoming": ("incoming",),
    "redis": ("broker",),
    "claims": ("claims",),
    "restore": ("restore", False),
    "restore-erased": ("restore", True),
    "schedule-races": ("schedule_races",),
    "one-minute": ("one_minute",),
    "mass": ("mass",),
    "mass-races": ("mass_races",),
}


def main() -> int:
    asked = options.read(sys.argv[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup: it is to go on when the terminal closes
            signal.signal(number, _end)
    try:
        with _log(asked) as log, ground.prepared() as prepared:
            teller = Teller(log)
            broken = _run(asked, prepared, teller)
            if asked.keep or broken:
                prepared.keep.set()
                teller.say(f"the processes' logs are in {prepared.folder}")
            return BROKEN if broken else 0
    except NotInstalledError as error:
        sys.stderr.write(f"{error}\n")
        return BROKEN
    except KeyboardInterrupt:
        sys.stderr.write("Ended. What was made for it is gone.\n")
        return ENDED_BY_CTRL_C


@dataclass(frozen=True)
class Teller:
    """Says it at the terminal, and in the log if there is one."""

    log: TextIO | None

    def say(self, words: str) -> None:
        self._write(sys.stderr, f"{time.strftime('%H:%M:%S')} load {os.getloadavg()[0]:.1f} | {words}\n")

    def show(self, report: Report) -> None:
        self._write(sys.stdout, f"{report.markdown()}\n")

    def _write(self, where: TextIO, text: str) -> None:
        for stream in (where, self.log):
            if stream is not None:
                stream.write(text)
                stream.flush()


def _run(asked: Options, prepared: Ground, teller: Teller) -> int:
    """How many promises were broken. A scenario that doesn't get to its end is one; the others go on."""
    django.setup()
    # Only now: these import models, and those the settings.
    importlib.import_module("chaos.product").prepare(with_pages=bool({"redis", "mass"} & set(asked.scenarios)))
    broken = 0
    for name in asked.scenarios:
        begun = time.monotonic()
        teller.say(f"{name} ...")
        try:
            report = _scenario(name, prepared, asked)
        except Exception:
            teller.say(f"{name} did not get to its end:\n{traceback.format_exc()}")
            broken += 1
            continue
        broken += len(report.broken)
        teller.say(f"{name}: {time.monotonic() - begun:.0f} s, {len(report.broken)} promises broken")
        teller.show(report)
    return broken


def _scenario(name: str, prepared: Ground, asked: Options) -> Report:
    module, *arguments = _SCENARIOS[name]
    found: Report = importlib.import_module(f"chaos.{module}").run(prepared, asked, *arguments)
    return found


def _log(asked: Options) -> contextlib.AbstractContextManager[TextIO | None]:
    if asked.log is None:
        return contextlib.nullcontext()
    asked.log.parent.mkdir(parents=True, exist_ok=True)
    return asked.log.open("a")


def _end(_number: int, _frame: object) -> None:
    """The first signal begins to tidy up; those after it don't disturb that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
