"""What `make run` does: prepares the database, starts the processes and the pocket phones, says where to go, stops all.

Not for production: there each process is started by its own line in the Procfile. With DATABASE_URL and REDIS_URL set
this starts those same lines; with neither, one process that holds everything (clientcomm/embedded.py).
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

from clientcomm.processes import EndedByItselfError, Group, Processes

ROOT = Path(__file__).resolve().parent.parent
ANSWERS_WITHIN = 60.0
PRODUCT_STOPS_WITHIN = 35.0  # a call to the carrier may take 20 seconds, and gunicorn allows its workers 30
PHONES_STOP_WITHIN = 5.0


class CannotRunError(Exception):
    """Said to the person at the terminal as it is."""


def main() -> int:
    set_defaults()
    processes = Processes(ROOT)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, processes.on_signal)
    try:
        refuse_taken_ports()
        prepare_database()
        if not processes.stopping.is_set():
            run(processes)
    except EndedByItselfError as error:
        return complain(f"The {error} process ended by itself; the lines above say why. The others were stopped.")
    except CannotRunError as error:
        return complain(str(error))
    return 0


def complain(sentence: str) -> int:
    print(f"\n{sentence}\n", file=sys.stderr)
    return 1


def run(processes: Processes) -> None:
    """The phones start first and stop last: a text on its way still finds its carrier."""
    try:
        phones = Group({"phones": "python manage.py phones"}, PHONES_STOP_WITHIN)
        processes.start([phones, Group(product_commands(), PRODUCT_STOPS_WITHIN)])
        announce(processes)
        processes.wait()
    finally:
        print("Stopping ...", flush=True)
        processes.stop()
        print("Stopped.", flush=True)


def set_defaults() -> None:
    """Gives a developer's machine what it needs and leaves alone what was given."""
    os.environ.setdefault("DEBUG", "1")
    os.environ.setdefault("PORT", "8000")
    os.environ.setdefault("PHONES_PORT", "8001")
    os.environ.setdefault("PUBLIC_URL", product_url())
    os.environ.setdefault("TWILIO_API_URL", phones_url())
    os.environ["DJANGO_SETTINGS_MODULE"] = "clientcomm.settings"
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def product_url() -> str:
    return f"http://127.0.0.1:{os.environ['PORT']}"


def phones_url() -> str:
    return f"http://127.0.0.1:{os.environ['PHONES_PORT']}"


def is_embedded() -> bool:
    return not os.environ.get("DATABASE_URL") and not os.environ.get("REDIS_URL")


def product_commands() -> dict[str, str]:
    """Name to shell command: the one process that holds everything, or the Procfile's but for what runs once."""
    if is_embedded():
        return {"product": "gunicorn --config python:clientcomm.gunicorn_embedded"}
    matches = re.finditer(r"^([a-z]+):\s*(.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    return {match[1]: match[2] for match in matches if match[1] != "release"}


def refuse_taken_ports() -> None:
    for name, what in (("PORT", "ClientComm"), ("PHONES_PORT", "the pocket phones")):
        value = os.environ[name]
        if not value.isdigit() or not 0 < int(value) < 65536:
            raise CannotRunError(f"{name} must be a number from 1 to 65535, not “{value}”.")
        if is_taken(int(value)):
            raise CannotRunError(
                f"Port {value} is already in use, perhaps by another `make run`. Stop that one, or choose another port "
                f"for {what}: make run {name}={int(value) + 10}"
            )


def is_taken(port: int) -> bool:
    with closing(socket.socket()) as attempt:
        # As servers do: a port whose last connections are still fading away is free.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def prepare_database() -> None:
    """In a process of its own, so that this one holds no database connection and forks without threads."""
    print("Preparing the database ...", flush=True)
    done = subprocess.run([sys.executable, "-m", "clientcomm.prepare"], cwd=ROOT, start_new_session=True)
    if done.returncode:
        raise CannotRunError("The database could not be prepared; the lines above say why.")


def announce(processes: Processes) -> None:
    """Says where to go once both pages answer."""
    wait_until_answering(processes, f"{product_url()}/healthz")
    wait_until_answering(processes, phones_url())
    if processes.stopping.is_set():
        return
    servers = "one process, SQLite in var/" if is_embedded() else "the production processes on your servers"
    print(
        f"""
  ClientComm runs ({servers}).

    Case managers    {os.environ["PUBLIC_URL"]}
    Pocket phones    {phones_url()}    (text as a client, see what arrives)

    Sign in as       demo@clientcomm.test         a case manager with a desk phone
                     colleague@clientcomm.test    a case manager without
                     supervisor@clientcomm.test   their supervisor
                     other@clientcomm.test        another department
                     admin@clientcomm.test        their administrator
    Password         clientcomm-demo

  Ctrl+C stops everything.
""",
        flush=True,
    )


def wait_until_answering(processes: Processes, url: str) -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN
    while not processes.stopping.is_set():
        processes.refuse_losses()
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 our own address
                return
        except OSError:
            if time.monotonic() > deadline:
                raise CannotRunError(f"{url} did not answer within {ANSWERS_WITHIN:.0f} seconds.") from None
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
