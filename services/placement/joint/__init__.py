"""The HTTP API: one side in the joint office, the other in each city's."""
