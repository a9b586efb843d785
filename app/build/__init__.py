"""Where concrete parts are chosen and joined: a module for each role, which the commands use as well."""
