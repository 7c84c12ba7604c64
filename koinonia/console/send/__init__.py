"""The pages for sending a text: recipients, preview, confirmation, templates."""
