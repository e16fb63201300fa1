"""Which features suit a method: those that keep an order suit methods that read it, and no others."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from clustering.features.info import EncoderInfo


def unsuited(told: Mapping[str, Collection[str]], wanted: Collection[str]) -> frozenset[str]:
    """Return the encoders whose features suit a method less well than those of another.

    Parameters
    ----------
    told : mapping of str to collection of str
        What each encoder that reads the collection says of how its numbers lie (`EncoderInfo.layout`).
    wanted : collection of str
        What the method asks of it (`MethodInfo.layout`).
    """

    def fit(name: str) -> tuple[int, int]:
        return len(set(told[name]) & set(wanted)), -len(set(told[name]) - set(wanted))

    best = max(map(fit, told), default=(0, 0))
    return frozenset(name for name in told if fit(name) < best)


def reason(encoder: EncoderInfo, method: str) -> str:
    """Return one line on why features suit a method; empty where an encoder has nothing to say of it."""
    return f"{encoder.title} suit {method}: {encoder.suits}." if encoder.suits else ""
