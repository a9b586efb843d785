"""The names of what stands in the header of a line of text. A table."""

from typing import Final

Fields = dict[str, str | None]
"""What was found in a header, by short names."""

ATTRIBUTE_OF: Final = {
    "agent": "user_agent.original",
    "client": "client.address",
    "container": "container.name",
    "dyno": "heroku.dyno",
    "file": "code.file.path",
    "function": "code.function.name",
    "host": "host.name",
    "line": "code.line.number",
    "log_file": "log.file.name",
    "logger": "log.logger",
    "method": "http.request.method",
    "msg_id": "log.syslog.msgid",
    "path": "url.path",
    "pid": "process.pid",
    "port": "client.port",
    "proc_id": "log.syslog.procid",
    "query": "url.query",
    "referer": "http.request.header.referer",
    "size": "http.response.body.size",
    "status": "http.response.status_code",
    "stream": "log.iostream",
    "thread": "thread.name",
    "tid": "thread.id",
    "unit": "systemd.unit",
    "user": "user.name",
    "vhost": "server.address",
}
"""The attribute that a field becomes; the others are a column of their own."""
