"""Version counters in the database. Triggers raise them in the transaction of the change."""
