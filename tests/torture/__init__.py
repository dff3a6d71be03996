"""Load, faults, rot and bad input against real repositories, and one checker that says whether anything was lost.

``make torture`` runs everything and writes ``docs/reliability.md``; ``tests/test_torture.py`` runs a small size of it.
"""
