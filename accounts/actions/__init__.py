"""What people do with accounts: keyword-only, atomic, by= the person, now= the time; each is in the audit log."""
