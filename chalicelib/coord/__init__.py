"""The configuration centre: documents in Systems Manager Parameter Store.

README.md beside this file has examples that run.
"""

from chalicelib.coord.centre import ConfigCentre, new, parameter_path
from chalicelib.coord.parameter import CoordError, Parameter
from chalicelib.coord.snapshot import Snapshot, SnapshotStore
from chalicelib.coord.watch import Watch

__all__ = [
    "ConfigCentre",
    "CoordError",
    "Parameter",
    "Snapshot",
    "SnapshotStore",
    "Watch",
    "new",
    "parameter_path",
]
