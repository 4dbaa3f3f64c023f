"""Frozen networks that metrics look through: named, with pinned weights, never fetched silently.

A weight file is read only from where its owner put it, only if its sha256 is the one pinned here,
and never unpickled. What a network is called, which weights it has and how it resizes and scales
images belongs to the identity of every number that is measured through it: `identity()`.
"""
