"""What others rely on from outside: ARCHITECTURE.md, "Contracts with the outside"."""
