"""The published language: what the services say to each other, by owner and version."""
