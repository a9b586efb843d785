"""Files and pipes as records: unpacked, decoded and split the way producer.py sends them. Imports nothing of ours."""
