"""What advisory decides, as pure functions: no I/O, no framework, no clock of their own."""
