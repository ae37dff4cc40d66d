"""Fault injection: processes, the broker and databases are killed while work goes on, and the result is checked."""
