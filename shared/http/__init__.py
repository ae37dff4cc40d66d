"""What every HTTP API here has: problems (RFC 9457), who may call, transactions with one effect, and reading."""
