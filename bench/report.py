"""The figures as Markdown tables, ready for README.md."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from bench.figures import Handed, Measured, Paced, Run, Sized
from bench.machine import Machine

Table = Iterable[Sequence[str]]


def markdown(machine: Machine, sizes: Sequence[Sized], seconds: float) -> str:
    """sizes: the usual one, and that with ten times the data."""
    usual, tenfold = sizes
    return "\n".join(
        [
            _place(machine),
            f"Three runs of {seconds:g} s each, the median's figures. kB are 1,000 bytes. {_amounts(sizes)}",
            "",
            *_table(_SPEED_HEAD, _speed(usual, tenfold)),
            "",
            *_table(_COST_HEAD, _cost(sizes, machine.cores)),
            "",
            *_table(_MEMORY_HEAD, _memory(sizes)),
            "",
        ]
    )


def at_rate(machine: Machine, measured: Measured, rate: float) -> str:
    """Incoming texts at a fixed rate: how soon they are answered."""
    head = "incoming texts a second|answered|p50 ms|p95 ms|p99 ms|gunicorn ms/request|PostgreSQL ms/request|busy cores"
    return "\n".join([_place(machine), "", *_table(head, _rate_rows(measured, rate, machine.cores)), ""])


def _rate_rows(measured: Measured, rate: float, cores: int) -> Table:
    for run in measured.runs:
        yield [
            f"{rate:g}",
            f"{run.count} in {run.seconds:.1f} s",
            *(_milliseconds(run.latency(percent)) for percent in (50, 95, 99)),
            _each(sum(run.spent.web), run),
            _each(run.spent.postgresql, run),
            f"{run.spent.machine / run.seconds:.2f} of {cores}",
        ]


def handover(machine: Machine, handed: Sequence[Handed], paced: Paced | None, delay: float) -> str:
    """Texts a second by connections, and how even the pace is."""
    tables = list(_table(_HANDED_HEAD, _handed(handed, delay, machine.cores)))
    if paced:
        tables += ["", *_table(_PACED_HEAD, [_paced(paced)])]
    return "\n".join([_place(machine), f"The carrier takes {delay:g} s a text.", "", *tables, ""])


_HANDED_HEAD = (
    "connections|processes x threads|texts|texts/s|in the middle half|at most|of it|workers ms/text|of each"
    "|PostgreSQL ms/text|carrier ms/text|busy cores"
)
_PACED_HEAD = "pace|texts|mean gap ms|p50 off by ms|p95|typed meanwhile|p50 ms to the carrier|slowest"


def _handed(handed: Iterable[Handed], delay: float, cores: int) -> Table:
    for run in handed:
        at_most = run.connections / delay
        yield [
            f"{run.connections}" if run.connections >= run.wanted else f"{run.connections} for {run.wanted}",
            f"{run.processes} x {run.threads}",
            f"{run.texts:,}",
            f"{run.texts / run.seconds:.0f}",
            f"**{run.middle_rate:.0f}**",
            f"{at_most:.0f}",
            f"{run.middle_rate / at_most:.0%}",
            f"{sum(run.workers) / run.texts * 1e3:.2f}",
            " + ".join(f"{seconds / run.texts * 1e3:.2f}" for seconds in run.workers),
            f"{run.postgresql / run.texts * 1e3:.2f}" if run.postgresql else "?",
            f"{run.carrier / run.texts * 1e3:.2f}",
            f"{run.busy_cores:.2f} of {cores}",
        ]


def _paced(run: Paced) -> Sequence[str]:
    return [
        f"{run.pace} a second",
        f"{run.texts}",
        _milliseconds(run.mean_gap),
        *(_milliseconds(run.deviations[len(run.deviations) * percent // 100]) for percent in (50, 95)),
        f"{len(run.delays)}",
        _milliseconds(run.delays[len(run.delays) // 2]),
        _milliseconds(run.delays[-1]),
    ]


def _place(machine: Machine) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    return (
        f"{machine.day}, {machine.host}: {machine.cores} cores of {machine.cpu}, {machine.memory_gigabytes:.0f} GB; "
        f"load before the start {machine.load:.2f}. {versions}."
    )


def _amounts(sizes: Iterable[Sized]) -> str:
    amounts = (
        f"{sized.size.clients:,} clients and {sized.size.messages:,} messages in one conversation "
        f"({sized.database_megabytes:.0f} MB after it all)"
        for sized in sizes
    )
    return f"Data: {'; ten times: '.join(amounts)}."


_SPEED_HEAD = (
    "what|aim|requests/s|slowest-fastest run|p50 ms|p95 ms|p99 ms|kB sent|kB uncompressed|ten times: requests/s"
    "|p95 ms|kB sent|of the usual rate"
)


def _speed(usual: Sized, tenfold: Sized) -> Table:
    for measured, large in zip(usual.measured, tenfold.measured, strict=True):
        run, large_run, aim = measured.median, large.median, measured.question.aim
        yield [
            measured.question.name,
            f"{aim:.0f}" if aim else "",
            f"**{run.rate:.0f}**",
            _spread(measured),
            *(_milliseconds(run.latency(percent)) for percent in (50, 95, 99)),
            _kilobytes(run.wire_size),
            _kilobytes(run.plain_size),
            f"**{large_run.rate:.0f}**",
            _milliseconds(large_run.latency(95)),
            _kilobytes(large_run.wire_size),
            f"{large_run.rate / run.rate:.2f}",
        ]


_COST_HEAD = (
    "CPU|data|gunicorn ms/request|of its processes, s|PostgreSQL ms/request|generator ms/request|others, s|busy cores"
)


def _cost(sizes: Sequence[Sized], cores: int) -> Table:
    for usual, tenfold in zip(*(sized.measured for sized in sizes), strict=True):
        for measured, data in ((usual, "usual"), (tenfold, "ten times")):
            run, spent = measured.median, measured.median.spent
            known = sum(spent.web) + (spent.postgresql or 0.0) + spent.generator
            yield [
                measured.question.name,
                data,
                _each(sum(spent.web), run),
                " + ".join(f"{seconds:.1f}" for seconds in spent.web[1:]),
                _each(spent.postgresql, run),
                _each(spent.generator, run),
                f"{max(0.0, spent.machine - known):.1f}",
                f"{spent.machine / run.seconds:.2f} of {cores}",
            ]


_MEMORY_HEAD = (
    "memory, MB|idle: resident|proportional|after load: resident|proportional|ten times, after load: proportional"
)


def _memory(sizes: Sequence[Sized]) -> Table:
    usual, tenfold = sizes
    for name, loaded in usual.loaded.items():
        idle, large = usual.idle[name], tenfold.loaded[name]
        yield [
            name,
            *(f"{of.resident:.0f}|{of.proportional:.0f}" for of in (idle, loaded)),
            f"{large.proportional:.0f}",
        ]
    sums = (sum(of.proportional for of in found.values()) for found in (usual.idle, usual.loaded, tenfold.loaded))
    first, second, third = (f"**{total:.0f}**" for total in sums)
    yield ["together", "", first, "", second, third]


def _table(head: str, rows: Table) -> Iterable[str]:
    columns = head.split("|")
    yield _line(columns)
    yield _line(side for _, side in zip_longest(columns, ["---"], fillvalue="---:"))
    yield from map(_line, rows)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join('|'.join(cells).split('|'))} |"


def _spread(measured: Measured) -> str:
    return f"{measured.runs[0].rate:.0f}-{measured.runs[-1].rate:.0f}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.1f}"


def _kilobytes(size: float) -> str:
    return f"{size / 1e3:.1f}"


def _each(seconds: float | None, run: Run) -> str:
    return "?" if seconds is None else _milliseconds(seconds / run.count).rstrip("0").rstrip(".")
