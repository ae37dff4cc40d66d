"""Version 1 of every owner's events. What is published here stays."""
