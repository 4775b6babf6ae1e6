"""The wire: Twilio in, Twilio out, stray texts, and the pocket phones that stand in for the carrier."""
