"""What stands in braces in a mass message and is filled in for each recipient: {first name} and its kin."""

import re
from dataclasses import dataclass

# With the space before it: an empty value takes that space along.
_FIELD = re.compile(r"( ?)\{([^{}]*)\}")

FIRST_NAME, LAST_NAME, MY_NAME, DEPARTMENT = NAMES = ("first name", "last name", "my name", "department")
OF_THE_CLIENT = (FIRST_NAME, LAST_NAME)


@dataclass(frozen=True)
class Values:
    """What is filled in for one recipient. my_name is the author's."""

    first_name: str = ""
    last_name: str = ""
    my_name: str = ""
    department: str = ""


def used(text: str) -> tuple[str, ...]:
    """The fields that the text names, each once, known or not, as they are written in the list of NAMES."""
    return tuple(dict.fromkeys(_plain(match[2]) for match in _FIELD.finditer(text)))


def unknown(text: str) -> tuple[str, ...]:
    """What stands in braces and is no field of ours, as typed."""
    typed = (match[2] for match in _FIELD.finditer(text))
    return tuple(dict.fromkeys(name for name in typed if _plain(name) not in NAMES))


def merge(text: str, values: Values) -> str:
    """The text as this recipient gets it. What is filled in is never itself looked through for fields.

    An empty value drops out with the space before it. Unknown fields stay as they are: nobody sends a text with one.
    """
    filled_in = {
        FIRST_NAME: values.first_name.strip(),
        LAST_NAME: values.last_name.strip(),
        MY_NAME: values.my_name.strip(),
        DEPARTMENT: values.department.strip(),
    }

    def fill_in(match: re.Match[str]) -> str:
        name = _plain(match[2])
        if name not in filled_in:
            return match[0]
        return match[1] + filled_in[name] if filled_in[name] else ""

    return _FIELD.sub(fill_in, text).rstrip()


def _plain(name: str) -> str:
    """Small letters and single blanks: {First  Name} is meant as {first name}."""
    return " ".join(name.lower().split())
