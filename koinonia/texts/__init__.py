"""Rendering of texts: from the template that staff write to the text for one member."""
