"""The queue of each sender: how fast its segments leave (section 4)."""

from telephony.simulator.carrier.settings import Account
from telephony.simulator.clock import Clock
from telephony.simulator.database import Database

SCHEMA = "CREATE TABLE sender_queue (sender TEXT PRIMARY KEY, free_at REAL NOT NULL);"


class SenderQueues:
    """Per sender the moment when its queue will have run empty; a message's turn is known as soon as it is queued."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._connection = database.connection
        self._clock = clock

    def turn(self, sender: str) -> float:
        """When a message queued now would leave."""
        row = self._connection.execute("SELECT free_at FROM sender_queue WHERE sender = ?", (sender,)).fetchone()
        return max(self._clock.now(), row["free_at"] if row else 0.0)

    def is_full(self, sender: str, account: Account) -> bool:
        """Whether more than the hours of traffic that Twilio keeps are waiting already (21611)."""
        return self.turn(sender) - self._clock.now() >= account.queue_hours * 3600

    def join(self, sender: str, segments: int, account: Account) -> float:
        """Take a place; gives the moment of leaving."""
        turn = self.turn(sender)
        if account.segments_per_second:
            self._connection.execute(
                "REPLACE INTO sender_queue (sender, free_at) VALUES (?, ?)",
                (sender, turn + segments / account.segments_per_second),
            )
        return turn
