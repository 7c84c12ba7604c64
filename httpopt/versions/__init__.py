"""Version counters in the database, raised by triggers in the transaction of the change itself."""
