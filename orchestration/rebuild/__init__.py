"""Plan what is out of date, and rebuild the least that brings it up to date."""
