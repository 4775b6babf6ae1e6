"""What people see: the list of phones, each phone's talk, and the fault panel. Works without JavaScript."""
