"""Gravitational waves: chirps of mergers among glitches, as spectrograms."""
