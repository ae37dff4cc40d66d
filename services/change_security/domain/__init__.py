"""What the law and the agreement say, as pure functions: no I/O, no framework, no clock of their own."""
