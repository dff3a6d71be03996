"""Conditions: CEL text to a typed tree, to durable-rules, and to the reference evaluation.

``cel-expr-python`` parses, types and evaluates; its checked tree, decoded in ``tree``, is what everything else reads.
It is a young library: nothing outside this package imports it.
"""
