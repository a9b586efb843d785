"""The preflight check, `python -m app check`: probes in, findings out. Pure; `backends/` takes the probes."""
