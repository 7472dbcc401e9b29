{{- define "lateen-agent.selector" -}}
app.kubernetes.io/name: lateen-agent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "lateen-agent.labels" -}}
{{ include "lateen-agent.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
