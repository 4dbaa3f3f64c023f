"""Pure functions on arrays, one module per metric; they know nothing of the rest of the harness.

Every function takes NumPy arrays or tensors on any device and computes in float64. What scores
items one by one returns a NumPy float64 array with one value per item, whose mean is the published
number, so that intervals and paired tests are possible; what scores a whole set returns a float.
Bad shapes, NaN and empty input are refused with `InvalidInput`.
"""
