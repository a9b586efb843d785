"""Carriers: what collectors, clouds and protocols wrap events in, one file each. Pure.

A carrier is recognised by its keys, and gives what it knows and the value inside, which is read like any other value.
"""
