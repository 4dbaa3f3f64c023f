"""A small protocol of image generation, on the twin alone."""

from __future__ import annotations

RANDOM = "3d1d1c2e5e79321af4798ecc010ff2e0e88ed991f1f1807f74f4c9d859856545"

SMALL_IMAGES = f"""
id = "small_images"
version = 1
title = "a few rendered faces, generated"
task = "image_generation"
needs = ["generator"]

[data]
fit = "ytf68:people/train"
test = "ytf68:people/test"

[geometry.ytf68]
crop = "points_square"
scale = 1.5
resize = 36
cut = 2

[generation]
images = 40
network = "fd-random-conv"

[generation.weights]
"PCG64(0)" = "{RANDOM}"

[generation.kernel]
subset_size = 20
subsets = 5

[generation.neighbours]
images = 30

[generation.path]
pairs = 10
distance = "random-conv"

[[metrics]]
id = "fd_random_conv"
unit = ""
better = "lower"
aggregate = "single"

[[metrics]]
id = "kd_random_conv"
unit = "1e-3"
better = "lower"
aggregate = "single"

[[metrics]]
id = "precision"
unit = "%"
better = "higher"
aggregate = "single"

[[metrics]]
id = "recall"
unit = "%"
better = "higher"
aggregate = "single"

[[metrics]]
id = "ppl2_wend/random-conv"
unit = ""
better = "lower"
aggregate = "single"

[twin]
recipe = "face"
fit = 40
train = 0
test = 40
people = 20
"""
