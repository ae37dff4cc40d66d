"""What the web applications have in common: signing in, sessions, and asking an office's API."""
