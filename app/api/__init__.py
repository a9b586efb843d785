"""HTTP in front. The only importer of Flask."""
