"""An app with a migration of each phase."""
