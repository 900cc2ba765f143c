"""What requests and answers look like, for the OpenAPI document. They decide nothing.

Answers are built as plain rows for speed; a test holds real answers against these shapes.
"""
