"""The authority side: it runs in each city, on the city's own database."""
