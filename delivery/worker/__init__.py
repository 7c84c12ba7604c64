"""django-q2 clusters that survive the loss of any of their processes."""
