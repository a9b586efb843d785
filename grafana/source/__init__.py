"""Where the dashboards come from: a module for each, and the pieces they share. `make dashboards` writes the JSON."""
