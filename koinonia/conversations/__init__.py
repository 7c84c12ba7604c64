"""All texts between a church and one number."""
