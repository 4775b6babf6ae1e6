"""What a scenario found: figures, and promises that were kept or broken, as a Markdown table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """kept: None for a figure that promises nothing."""

    what: str
    figure: str
    promise: str = ""
    kept: bool | None = None


@dataclass
class Report:
    title: str
    conditions: str = ""
    lines: list[Line] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def figure(self, what: str, figure: object) -> None:
        self.lines.append(Line(what, str(figure)))

    def promise(self, what: str, figure: object, promise: str, *, kept: bool) -> None:
        self.lines.append(Line(what, str(figure), promise, kept))

    def none(self, what: str, count: int) -> None:
        """It is promised that there is none."""
        self.promise(what, count, "0", kept=count == 0)

    @property
    def broken(self) -> list[Line]:
        return [line for line in self.lines if line.kept is False]

    def markdown(self) -> str:
        verdict = {None: "", True: "kept", False: "**BROKEN**"}
        rows = (f"| {line.what} | {line.figure} | {line.promise} | {verdict[line.kept]} |" for line in self.lines)
        head = [
            f"## {self.title}",
            "",
            self.conditions,
            "",
            "| what | found | promised | |",
            "| --- | --- | --- | --- |",
        ]
        return "\n".join([*head, *rows, "", *self.tables])

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """One more, below the first."""
        lines = [head, ["---"] * len(head), *rows]
        self.tables.append("".join(f"| {' | '.join(line)} |\n" for line in lines))
