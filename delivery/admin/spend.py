"""Daily caps: what each tenant has used, and where texts wait for it."""
