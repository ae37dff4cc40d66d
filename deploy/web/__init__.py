"""What the web applications have in common: signing in, sessions, and asking an office's API."""

from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
