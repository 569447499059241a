"""The benchmark: earmark over HTTP, against what people run today and against its own limit.

`python -m bench` measures, `python -m bench.report FILE` prints a measurement again. Knows of
earmark only what a user does, save `limit`, which runs its session without a server around it.
"""
