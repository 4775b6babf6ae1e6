"""Finding people by their names: case and accents don't count, and each word may be a part of one.

Every writer of a client's names or ID number calls fill_search_key before it saves.
"""

import unicodedata

from clients.models import Client


def fold(text: str) -> str:
    """Without case and accents: "Łukasz Nuñez" and "lukasz nunez" are the same to who searches."""
    return "".join(
        _PLAIN.get(letter, letter)
        for letter in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(letter)
    )


# What Unicode doesn't take for a letter with a mark on it, and people type without.
_PLAIN = {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}

_MAX_LENGTH = 300


def search_key(*parts: str) -> str:
    """What a search is held against."""
    return " ".join(fold(part) for part in parts if part)[:_MAX_LENGTH]


def fill_search_key(client: Client) -> Client:
    """Keeps it in step with the names; the caller saves. Gives the same client."""
    client.search_key = search_key(client.first_name, client.last_name, client.id_number)
    return client


NAME_FIELDS = ("first_name", "last_name", "id_number", "search_key")
