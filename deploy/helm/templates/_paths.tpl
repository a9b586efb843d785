{{/* What the world may reach of a part: not /metrics, /health, /live and /ready, which need no token. In: part. */}}
{{- define "log-analytics.paths" -}}
{{- if ne .part "receive" }}
- /
- /explorer
- /login
- /logout
- /api/v1
{{- end }}
{{- if eq .part "receive" }}
- /api/v1/logs
- /api/v1/validate
{{- end }}
{{- if ne .part "query" }}
- /api/v2/logs
- /api/prom/push
- /v1
- /loki
- /gelf
- /pubsub
- /services/collector
- /elasticsearch
- /_bulk
{{- end }}
{{- end -}}
