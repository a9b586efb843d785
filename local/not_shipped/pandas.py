"""Not there for what runs with this folder in PYTHONPATH, as in the image, which does not have it either."""

raise ImportError("pandas is not shipped: a process that runs as in the image has none")
