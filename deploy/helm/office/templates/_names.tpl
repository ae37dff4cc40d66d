{{- define "office.side" -}}
{{- if eq .Values.office .Values.jointOffice }}joint{{ else }}authority{{ end -}}
{{- end }}

{{- define "office.labels" -}}
app.kubernetes.io/name: {{ .service }}
app.kubernetes.io/instance: {{ .root.Values.office }}
app.kubernetes.io/part-of: employment-services
{{- end }}

{{- define "office.image" -}}
{{ .root.Values.image.registry }}employment-services/{{ .service }}-{{ include "office.side" .root }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "office.environment" -}}
- name: INSTANCE # its own name in the consumer group
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- range $name, $from := .process.secrets }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef: {name: {{ $from.name }}, key: {{ $from.key }}, optional: {{ $from.optional | default false }}}
{{- end }}
{{- end }}

{{- define "office.closed" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
capabilities: {drop: [ALL]}
{{- end }}
