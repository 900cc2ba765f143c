"""What the product costs, measured against what it cannot cost less than (`make bench`).

Each figure stands beside a baseline that was measured in the same run and by turns, since
machines differ and are never quite idle. A limit that is passed is a failure.
"""
