"""User accounts: passwords, sessions, Bearer tokens, invitations, and e-mail about them."""
