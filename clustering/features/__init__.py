"""Pretrained encoders and plain scalings: from a collection to one row of numbers an item."""

from clustering.features.base import Encodable, Encoder
from clustering.features.catalogue import (
    FeatureArray,
    default_encoder,
    encode,
    encoder,
    encoders,
    feature_key,
)
from clustering.features.info import EncoderInfo

__all__ = [
    "Encodable",
    "Encoder",
    "EncoderInfo",
    "FeatureArray",
    "default_encoder",
    "encode",
    "encoder",
    "encoders",
    "feature_key",
]
