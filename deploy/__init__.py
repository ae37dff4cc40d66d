"""How the suite is run: locally without Docker, in containers, by office."""
