"""The two refusals of the project. Anything else that is raised is a bug.

Both are `ValueError` and speak in prose: who needs what, what is there, what to write instead.
"""

__all__ = ["NotEnoughData", "TrajectoryError"]


class TrajectoryError(ValueError):
    """The trajectory lacks, or contradicts, something that was asked of it."""


class NotEnoughData(ValueError):
    """The data are sound, but too few for the number that was asked for."""
