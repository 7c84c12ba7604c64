"""The catalogues of the Spanish sentences: how they are made, and their tests."""
