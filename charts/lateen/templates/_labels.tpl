{{- define "lateen.selector" -}}
app.kubernetes.io/name: lateen-webhook
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "lateen.release" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "lateen.labels" -}}
{{ include "lateen.selector" . }}
{{ include "lateen.release" . }}
{{- end }}
