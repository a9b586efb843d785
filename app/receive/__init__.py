"""Receives logs. A module per protocol reads bodies to events, in forms that the consumer reads; those are pure.

`packing`, `intake` and `publishing` put them on the topic.
"""
