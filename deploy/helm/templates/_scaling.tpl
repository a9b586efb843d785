{{/* What sets the number of a part's instances: "keda", "hpa", or nothing. In: root, part. */}}
{{- define "log-analytics.scaler" -}}
{{- $values := index .root.Values .part -}}
{{- if and .root.Values.keda.enabled (has .part (list "ingest" "all")) -}}
keda
{{- else if ($values.autoscaling).enabled -}}
hpa
{{- end -}}
{{- end -}}

{{/* The most instances that a part may have. In: root, part. */}}
{{- define "log-analytics.most" -}}
{{- $values := index .root.Values .part -}}
{{- $scaler := include "log-analytics.scaler" . -}}
{{- if eq $scaler "keda" -}}
{{ int .root.Values.keda.maxReplicas }}
{{- else if eq $scaler "hpa" -}}
{{ int $values.autoscaling.maxReplicas }}
{{- else -}}
{{ int $values.replicas }}
{{- end -}}
{{- end -}}
