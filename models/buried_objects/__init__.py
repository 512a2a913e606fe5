"""Buried objects: which traces of a ground-penetrating-radar scan lie over a cylinder."""
