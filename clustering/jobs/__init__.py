"""Work that takes longer than a page may: queue, worker process, tasks, live status."""

from clustering.jobs.supervisor import ensure_worker

__all__ = ["ensure_worker"]
