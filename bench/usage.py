"""What the machine spends, from /proc (Linux): CPU seconds and memory of processes, and of all of them together."""

import os
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from bench.servers import is_on_this_machine

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PARENT, _USER_TIME, _SYSTEM_TIME = 1, 11, 12  # fields of /proc/<pid>/stat after the name
_IDLE_COLUMNS = (3, 4)  # idle and waiting for a disk, in the first line of /proc/stat
_GUEST_COLUMNS = 8  # from here on the line repeats what its earlier columns hold


@dataclass(frozen=True)
class Memory:
    """In MB (10^6 bytes). proportional: pages that processes share are divided among them, so sums mean something."""

    resident: float
    proportional: float


def cores() -> int:
    """How many this process, and with it the product, may run on."""
    return len(os.sched_getaffinity(0))


def cpu_seconds(process_id: int) -> float:
    """All threads, in user mode and in the kernel; 0 for a process that is gone. The clock ticks 100 times a second."""
    fields = _stat(process_id)
    return (int(fields[_USER_TIME]) + int(fields[_SYSTEM_TIME])) / TICKS_PER_SECOND if fields else 0.0


def machine_cpu_seconds() -> float:
    """What all processes have used since the machine started, on all its cores."""
    columns = [int(ticks) for ticks in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(columns[:_GUEST_COLUMNS]) / TICKS_PER_SECOND - sum(columns[i] for i in _IDLE_COLUMNS) / TICKS_PER_SECOND


def memory(process_id: int) -> Memory:
    """Of a process of our own user."""
    lines = (line.split() for line in Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines()[1:])
    kibibytes = {words[0]: int(words[1]) for words in lines}
    return Memory(kibibytes["Rss:"] * 1024 / 1e6, kibibytes["Pss:"] * 1024 / 1e6)


def family(process_id: int) -> list[int]:
    """The process and what it started, oldest first."""
    children = [child for child in _all_processes() if _parent(child) == process_id]
    return [process_id, *(member for child in children for member in family(child))]


def backends() -> list[int] | None:
    """The processes in which PostgreSQL serves this database's connections but ours; None if it runs elsewhere."""
    if not is_on_this_machine(os.environ["DATABASE_URL"]):
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [process_id for (process_id,) in cursor.fetchall()]


def _all_processes() -> list[int]:
    return sorted(int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _parent(process_id: int) -> int:
    fields = _stat(process_id)
    return int(fields[_PARENT]) if fields else 0


def _stat(process_id: int) -> list[str]:
    try:
        text = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the name, in brackets, may hold anything
