"""The pages on which the office writes a text: recipients, preview, confirmation, templates."""
