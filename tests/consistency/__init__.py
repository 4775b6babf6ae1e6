"""What must hold for the whole repository, whoever adds to it."""
