"""The people: clients, their numbers, who works with them since when, and where a text or call from them belongs."""
