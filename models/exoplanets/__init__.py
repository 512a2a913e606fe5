"""Exoplanets: stars with a transiting planet, from Kepler light curves."""
