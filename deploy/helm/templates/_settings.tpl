{{/* The environment of an instance. */}}

{{/* A value as text. Helm holds numbers of files as floats and would write 12582912 as 1.2582912e+07. */}}
{{- define "log-analytics.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{/* What a part's own values and those for all say together, as YAML. In: root, part, kind (settings, secrets, files).
Not by `merge`, to which false, 0 and "" are nothing. */}}
{{- define "log-analytics.merged" -}}
{{- $merged := deepCopy (index .root.Values .kind) -}}
{{- range $name, $value := index .root.Values .part .kind -}}
{{- $_ := set $merged $name $value -}}
{{- end -}}
{{- toYaml $merged -}}
{{- end -}}

{{/* Secrets that a part has no use for, as a regular expression. */}}
{{- define "log-analytics.useless" -}}
{{- if eq .part "receive" -}}
^(CLICKHOUSE_|AUTH_SESSION_KEY|AUTH_OIDC_CLIENT_SECRET)
{{- else if eq .part "ingest" -}}
^(CLICKHOUSE_READER_|AUTH_SESSION_KEY|AUTH_OIDC_CLIENT_SECRET)
{{- else -}}
^$
{{- end -}}
{{- end -}}

{{/* Names under which a part is reached within the cluster and from outside, comma-separated. In: root, part. */}}
{{- define "log-analytics.hosts" -}}
{{- $service := include "log-analytics.partName" . -}}
{{- $space := .root.Release.Namespace -}}
{{- $hosts := list $service (printf "%s.%s" $service $space) (printf "%s.%s.svc" $service $space) (printf "%s.%s.svc.cluster.local" $service $space) -}}
{{- with (index .root.Values .part).ingress -}}
{{- if .enabled -}}{{- $hosts = append $hosts .host -}}{{- end -}}
{{- end -}}
{{- with (include "log-analytics.merged" (merge (dict "kind" "settings") .) | fromYaml).HTTP_ALLOWED_HOSTS -}}
{{- $hosts = append $hosts . -}}
{{- end -}}
{{- join "," $hosts -}}
{{- end -}}

{{/* The data of a part's ConfigMap. In: root, part. */}}
{{- define "log-analytics.settings" -}}
{{- $settings := include "log-analytics.merged" (merge (dict "kind" "settings") .) | fromYaml -}}
{{- $_ := set $settings "ROLES" (include "log-analytics.roles" .) -}}
{{- $_ := set $settings "HTTP_PORT" 8080 -}}
{{- $_ := set $settings "METRICS_PORT" 8081 -}}
{{- if ne .part "ingest" -}}
{{- $_ := set $settings "HTTP_ALLOWED_HOSTS" (include "log-analytics.hosts" .) -}}
{{- end -}}
{{- range $name, $file := include "log-analytics.files" . | fromYaml -}}
{{- $_ := set $settings $name (printf "/run/log-analytics/%s/%s" ($name | lower | replace "_" "-") $file.key) -}}
{{- end -}}
{{- range $name, $value := $settings }}
{{ $name }}: {{ include "log-analytics.text" $value | quote }}
{{- end }}
{{- end -}}

{{/* The files that a part needs, by setting, as YAML. In: root, part. */}}
{{- define "log-analytics.files" -}}
{{- include "log-analytics.needed" (merge (dict "kind" "files") .) -}}
{{- end -}}

{{/* The secrets or files that a part needs, by setting, as YAML. In: root, part, kind. */}}
{{- define "log-analytics.needed" -}}
{{- $needed := dict -}}
{{- $useless := include "log-analytics.useless" . -}}
{{- range $name, $source := include "log-analytics.merged" . | fromYaml -}}
{{- if not (regexMatch $useless $name) -}}{{- $_ := set $needed $name $source -}}{{- end -}}
{{- end -}}
{{- toYaml $needed -}}
{{- end -}}

{{/* The environment of a container. In: root, part. */}}
{{- define "log-analytics.environment" -}}
envFrom:
  - configMapRef:
      name: {{ include "log-analytics.partName" . }}
{{- with include "log-analytics.needed" (merge (dict "kind" "secrets") .) | fromYaml }}
env:
  {{- range $name, $source := . }}
  - name: {{ $name }}
    valueFrom:
      secretKeyRef:
        name: {{ $source.secret }}
        key: {{ $source.key }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "log-analytics.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- range $name, $file := include "log-analytics.files" . | fromYaml }}
- name: {{ $name | lower | replace "_" "-" }}
  mountPath: /run/log-analytics/{{ $name | lower | replace "_" "-" }}
  readOnly: true
{{- end }}
{{- end -}}

{{/* A folder for each file, and not the file itself (subPath), which would stay as it was when the Secret changes. */}}
{{- define "log-analytics.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- range $name, $file := include "log-analytics.files" . | fromYaml }}
- name: {{ $name | lower | replace "_" "-" }}
  {{- if $file.secret }}
  secret:
    secretName: {{ $file.secret }}
  {{- else }}
  configMap:
    name: {{ $file.configMap }}
  {{- end }}
    defaultMode: 0440
    items:
      - key: {{ $file.key }}
        path: {{ $file.key }}
{{- end }}
{{- end -}}

{{- define "log-analytics.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "log-analytics.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Ports for syslog that the settings of a part open, as YAML: name, port and protocol. In: root, part. */}}
{{- define "log-analytics.syslogPorts" -}}
{{- $settings := include "log-analytics.merged" (merge (dict "kind" "settings") .) | fromYaml -}}
{{- if has .part (list "receive" "all") }}
{{- with $settings.SYSLOG_PORT }}
- {name: syslog, port: {{ int . }}, protocol: TCP}
{{- end }}
{{- with $settings.SYSLOG_UDP_PORT }}
- {name: syslog-udp, port: {{ int . }}, protocol: UDP}
{{- end }}
{{- with $settings.SYSLOG_TLS_PORT }}
- {name: syslog-tls, port: {{ int . }}, protocol: TCP}
{{- end }}
{{- end }}
{{- end -}}
