"""The words of a text: from what staff write to what one member reads."""
