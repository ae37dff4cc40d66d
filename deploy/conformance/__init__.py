"""The city conformance kit: tries any city's change security consumer against a recorded stream."""
