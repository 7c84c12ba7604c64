"""Members from a CSV file: all good lines are kept, bad ones are reported by their line."""
