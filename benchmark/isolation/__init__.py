"""Methods with packages of their own: an environment made once, and a process that the method lives in.

`environments` makes the environment, `process` starts and ends the process, `wire` is how the two sides
call each other, `worker` is the side of the method, `proxy` the method as the harness sees it.
"""
