"""The configuration centre: documents in Systems Manager Parameter Store.

>>> centre = new()                                              # doctest: +SKIP
>>> centre.get("/lambchat/local/mq/default")                    # doctest: +SKIP
Parameter(path='/lambchat/local/mq/default', value='{…}', version=1)
"""

from chalicelib.coord.centre import ConfigCentre, CoordError, Parameter, new, parameter_path

__all__ = ["ConfigCentre", "CoordError", "Parameter", "new", "parameter_path"]
