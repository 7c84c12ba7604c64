"""Examples of requests and answers, for the schema, the browsable API and the tests.

``requests.py`` holds the bodies, written by hand. ``answers.json`` holds the answers of a running
system; ``make examples`` records it again. A test sends each body and compares each answer.
"""
