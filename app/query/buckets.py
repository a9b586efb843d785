"""Buckets of numbers for quantiles: each number counts as the middle of its bucket, which is within 1 % of it.

A bucket is the sign, the exponent and the upper six bits of the mantissa, so there are 64 buckets to a doubling, at
every magnitude. A bucket is at most 1.6 % wide, and its middle within 0.8 % of its values. The projections of
schema.sql store the buckets of response times, which are Float32; other numbers are rounded as Float64, to the same
middles.
"""

from typing import Final

_MANTISSA_BITS: Final = 6
_SHIFT: Final = 23 - _MANTISSA_BITS  # of a Float32
_SHIFT_64: Final = 52 - _MANTISSA_BITS  # of a Float64
_KEPT_64: Final = 2**64 - (1 << _SHIFT_64)
_HALF_64: Final = 1 << (_SHIFT_64 - 1)

BUCKET: Final = f"bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), {_SHIFT})"
"""The number of a response time bucket as SQL, as the projections have it; NULL for rows without a response time."""

_MIDDLE: Final = f"reinterpretAsFloat32(toUInt32(bitShiftLeft(toUInt32(bucket), {_SHIFT}) + {1 << (_SHIFT - 1)}))"
BUCKET_VALUE: Final = f"if(bucket % {1 << (31 - _SHIFT)} = 0, 0, {_MIDDLE})"
"""The middle of the response time bucket `bucket`, as SQL; NULL for rows without a response time."""


def middle(number: str) -> str:
    """The middle of the bucket of a number as SQL: 0 for 0, NULL for NULL."""
    bits = f"reinterpretAsUInt64(toFloat64({number}))"
    return f"if({number} = 0, 0, reinterpretAsFloat64(bitOr(bitAnd({bits}, {_KEPT_64}), {_HALF_64})))"
