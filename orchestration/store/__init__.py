"""Where results are stored: records and artifacts, and the formats they are written in."""
