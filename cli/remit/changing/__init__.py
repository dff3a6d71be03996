"""The life of a change: propose, review, approve or reject, apply, withdraw; on a lone repository or with an origin.

Always true here: nobody's working tree, index or HEAD is touched by proposing and reviewing; the protected branch moves
by one commit at a time and only from where we saw it; what is applied is exactly what was approved, by people whom the
*base* allows, none of whom wrote any part of it; a change is applied once. When a remote ``origin`` exists it is the
truth, and local refs only remember it.

``proving`` holds the one question that ``apply``, the hook of an origin and ``audit`` all ask of a commit.

Source: design section 7; security rules R1-R12.
"""
