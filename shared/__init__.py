"""Technical code that every service uses, and the published language of events.

Nothing here knows a rule of law, a city's name or a service's table; a fifth service would want it unchanged.
"""
