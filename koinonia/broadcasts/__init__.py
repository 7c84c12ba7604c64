"""One text to many members: whom, in which words, and how far it is."""
