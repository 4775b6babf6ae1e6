"""What people and their phones can do: keyword-only, atomic, by= the person, now= the time; each rings on commit."""
