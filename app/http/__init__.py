"""The HTTP server: connections in an event loop (uvicorn), the WSGI application in threads.

docs/http.md gives the reasons, and what was compared.
"""
