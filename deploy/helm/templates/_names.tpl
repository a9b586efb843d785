{{/* Names, labels and the list of deployments. */}}

{{/* The longest name behind it is `-receive-syslog`, and a Service's has 63 characters at most. */}}
{{- define "log-analytics.name" -}}
{{- if contains "log-analytics" .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-log-analytics" (.Release.Name | trunc 34 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* The deployments, separated by spaces. */}}
{{- define "log-analytics.parts" -}}
{{- if eq .Values.layout "one" -}}
all
{{- else -}}
{{- $parts := list -}}
{{- range list "ingest" "query" "receive" -}}
{{- if (index $.Values .).enabled -}}{{- $parts = append $parts . -}}{{- end -}}
{{- end -}}
{{- if not $parts -}}{{- fail "ingest, query and receive are all disabled: enable one of them" -}}{{- end -}}
{{- join " " $parts -}}
{{- end -}}
{{- end -}}

{{/* Name of a part's objects. In: root, part. */}}
{{- define "log-analytics.partName" -}}
{{- $name := include "log-analytics.name" .root -}}
{{- if eq .part "all" -}}{{ $name }}{{- else -}}{{ $name }}-{{ .part }}{{- end -}}
{{- end -}}

{{- define "log-analytics.roles" -}}
{{- if eq .part "all" -}}ingest,query,receive{{- else -}}{{ .part }}{{- end -}}
{{- end -}}

{{- define "log-analytics.selector" -}}
app.kubernetes.io/name: log-analytics
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{/* Labels of every object. In: root, and part where it belongs to one. */}}
{{- define "log-analytics.labels" -}}
app.kubernetes.io/name: log-analytics
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .part }}
app.kubernetes.io/component: {{ . }}
{{- end }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "log-analytics.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "log-analytics.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "log-analytics.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}
