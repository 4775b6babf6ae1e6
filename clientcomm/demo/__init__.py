"""Demo data: invented people and what they write to each other. Every number is one of 555-0100 to 555-0199."""
