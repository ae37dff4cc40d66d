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

{{- define "office.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: certificates, mountPath: /certificates, readOnly: true}
{{- end }}

{{- define "office.volumes" -}}
- {name: tmp, emptyDir: {sizeLimit: 128Mi}}
- name: certificates # a renewed one is read without a restart
  secret:
    secretName: {{ .service }}-{{ .root.Values.office }}{{ .root.Values.kafka.certificates.suffix }}
    optional: {{ .root.Values.kafka.certificates.optional }}
{{- end }}
