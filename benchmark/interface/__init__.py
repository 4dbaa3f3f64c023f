"""bench from Python: what `import benchmark as bench` offers, and what the commands call.

Nothing is measured here that a command would measure otherwise: each function resolves what it was asked
for, and calls the rooms below.
"""
