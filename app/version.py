"""The version of the service."""

VERSION = "0.2.0"
