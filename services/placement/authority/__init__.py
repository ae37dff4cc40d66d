"""The authority side: a city's own jobseekers, its pool's answers, consent, and the logged query for a contact."""
