"""The officer's desk: what one city's officers do, in a browser, through their own office's API."""
