"""The endpoints that logs are sent to, one module per protocol; `app.receive` reads what they get."""
