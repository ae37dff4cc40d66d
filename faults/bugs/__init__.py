"""Processes that are broken on purpose: the campaign's checker must notice each."""
