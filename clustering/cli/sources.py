"""What a command trains on: the features it was given, or those of a collection that suit the method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clustering.cli.speaking import say
from clustering.cli.working import Work
from clustering.features.suiting import reason, unsuited

if TYPE_CHECKING:
    from clustering.methods.info import MethodInfo


def source_of(work: Work, subject: str, method: MethodInfo) -> tuple[dict[str, Any], str | None]:
    """Return the features a method shall see, or the job that makes them first."""
    from clustering.features import default_encoder, encoders

    if work.identified(subject, ("features", "collection")) == "features":
        return {"features": subject, "collection": work.workspace.feature_set(subject).collection_id}, None
    kind = work.workspace.collection(subject).kind
    told = {name: one.info.layout for name, one in encoders().items() if kind in one.info.kinds}
    others = unsuited(told, method.layout)
    kept = next((one for one in work.workspace.feature_sets(subject) if one.encoder not in others), None)
    chosen = (
        kept.encoder
        if kept is not None
        else default_encoder(kind, work.workspace.open_collection(subject), method.layout)
    )
    if chosen in encoders() and (line := reason(encoders()[chosen].info, method.title)):
        say(line)
    if kept is not None:
        say(f"With the newest features: {kept.title} ({kept.id}).")
        return {"features": kept.id, "collection": subject}, None
    made = work.do("features", {"collection": subject, "encoder": chosen, "parameters": {}})
    return {"collection": subject}, made.id
