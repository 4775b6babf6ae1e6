"""The demo's one long conversation: half a year of weekly check-ins, 120 texts."""

import itertools

from clientcomm.demo.lines import Line, them, us

LENGTH = 120

_OPENINGS = (
    "Good morning Tevita, weekly check-in: how are you doing?",
    "Hi Tevita, your Monday check-in. Anything new?",
    "Hello Tevita, checking in. Did you get to class this week?",
    "Hi Tevita, how was the week? Any change of address or work?",
    "Good morning! Check-in time. Do you need anything from me?",
)
_ANSWERS = (
    "Good, nothing new",
    "All good. Class was long but ok",
    "Went to class, worked 40 hours. Tired but fine",
    "Same address same job",
    "Good morning, can you tell me the next court date",
    "Doing better this week, thanks for asking",
    "My shift changed to 6-2. Rest is the same",
)
_REPLIES = (
    "Thank you, Tevita. Talk to you next Monday.",
    "Good to hear. Keep it up!",
    "Thanks for writing. I noted it.",
    "Your next court date is the 16th at 9:00 am, room S41. I will remind you the day before.",
    "Well done. See you at the office on Thursday.",
)
_THANKS = ("Thanks Sam", "Ok 👍", "Will do", "see you", "Malo 'aupito!", "Appreciate it")


def long_talk(count: int, *, ends_days_ago: int = 2) -> list[Line]:
    """That many texts, oldest first, four a week back from a few days ago."""
    newest_first = itertools.islice(_backwards(ends_days_ago), count)
    return list(newest_first)[::-1]


def _backwards(days: int) -> itertools.chain[Line]:
    return itertools.chain.from_iterable(reversed(_week(week, days + 7 * week)) for week in itertools.count())


def _week(week: int, days: int) -> list[Line]:
    return [
        us(f"{days}d 4h", _pick(_OPENINGS, week)),
        them(f"{days}d 3h 20m", _pick(_ANSWERS, week)),
        us(f"{days}d 2h 50m", _pick(_REPLIES, week)),
        them(f"{days}d 2h 30m", _pick(_THANKS, week)),
    ]


def _pick(texts: tuple[str, ...], week: int) -> str:
    return texts[week % len(texts)]


LONG_TALK = long_talk(LENGTH)
