"""The operators' console: what every office is doing, read through each office's own API."""
