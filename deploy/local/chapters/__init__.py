"""The chapters of the demonstration, one for each service beside change security's own."""
