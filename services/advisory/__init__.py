"""Advisory: one queue for employers, fair to three cities."""
