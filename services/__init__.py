"""The services. None imports another; they talk through topics alone."""
