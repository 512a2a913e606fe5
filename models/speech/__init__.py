"""Speech: recordings and transcripts, features, acoustic models with CTC, and their decoding."""
