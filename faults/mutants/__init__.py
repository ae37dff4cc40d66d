"""Mutants: processes that are broken on purpose. The campaign's invariants, or the conformance kit, must find each."""
