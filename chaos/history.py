"""Every state that any text was ever in, noted by the run's own database: the last one hides those before it."""

from collections import Counter

from django.db import connection

_MAKE = """
CREATE TABLE IF NOT EXISTS chaos_move (
    id bigserial PRIMARY KEY, message_id bigint NOT NULL, was text NOT NULL, became text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE OR REPLACE FUNCTION chaos_note_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos_move (message_id, was, became) VALUES (NEW.id, OLD.state, NEW.state);
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS chaos_note_move ON messaging_message;
CREATE TRIGGER chaos_note_move AFTER UPDATE OF state ON messaging_message
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION chaos_note_move();
"""


def keep() -> None:
    """From now on. It costs each change of state an insert, so where speed is measured it is left out."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE)


def forget() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS chaos_note_move ON messaging_message")
        cursor.execute("DROP TABLE IF EXISTS chaos_move")


def times_in(state: str) -> Counter[int]:
    """How often each text, by its id, came into this state."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT message_id, count(*) FROM chaos_move WHERE became = %s GROUP BY message_id", [state])
        return Counter(dict(cursor.fetchall()))
