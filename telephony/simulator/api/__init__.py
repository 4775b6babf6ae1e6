"""Twilio's REST API as far as a texting product calls it: Messages, their media, Lookup, test credentials."""
