"""The inbox of a church: its lists, the search, notes, and what colleagues decide about a conversation."""
