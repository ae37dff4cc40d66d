"""A city's side: its officers, their contacts and answers, announcements, a copy of the guidance."""
