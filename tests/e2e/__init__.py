"""Journeys of people through the running product: real processes, a real browser, the pocket phones as the carrier."""
