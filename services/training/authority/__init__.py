"""A city's side: its own people's applications, and a copy of the catalogue."""
