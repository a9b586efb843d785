"""How many instances the load needs, for a controller that adds and removes them. Pure."""
