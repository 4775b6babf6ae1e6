"""An undefined variable in a template of ours fails its test; Django would silently print nothing."""

import sys
from pathlib import Path
from types import FrameType

from django.template.base import Node, Origin

ROOT = Path(__file__).resolve().parent.parent


class UndefinedVariableError(Exception):
    """A template of ours names something that its view does not give it."""


class UndefinedVariable(str):
    """For `string_if_invalid`: Django formats it with the name it did not find.

    Templates of libraries (the admin's, allauth's) rely on silence, so only those below our own folders fail.
    """

    __slots__ = ()

    def __mod__(self, missing: object) -> str:
        origin = _template_being_drawn(sys._getframe(1))
        if origin is not None and _is_ours(origin):
            raise UndefinedVariableError(f"{missing} is not defined in {origin.name}")
        return ""


def _template_being_drawn(frame: FrameType | None) -> Origin | None:
    while frame is not None:
        node = frame.f_locals.get("self")
        if isinstance(node, Node) and isinstance(getattr(node, "origin", None), Origin):
            return node.origin
        frame = frame.f_back
    return None


def _is_ours(origin: Origin) -> bool:
    path = Path(origin.name)
    return path.is_relative_to(ROOT) and "site-packages" not in path.parts
