"""HTTP servers for the Flask application of the service, side by side."""
