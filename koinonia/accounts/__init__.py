"""People's own accounts: passwords, sessions, Bearer tokens, invitations, and their mail."""
