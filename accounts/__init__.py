"""The staff: departments, users, signing in, the audit log. Knows nothing of clients or messages."""
