{{- /* rbac.rules, with Secrets as rbac.secrets says. */ -}}
{{- define "lateen-agent.rules" -}}
{{- range $rule := .Values.rbac.rules }}
{{- if and (eq $.Values.rbac.secrets "read") (has "" $rule.apiGroups) (has "secrets" $rule.resources) }}
{{- $reading := list }}
{{- range $rule.verbs }}
{{- if has . (list "get" "list" "watch") }}
{{- $reading = append $reading . }}
{{- end }}
{{- end }}
{{- with $reading }}
- {{ toYaml (mergeOverwrite (deepCopy $rule) (dict "apiGroups" (list "") "resources" (list "secrets") "verbs" .)) | nindent 2 | trim }}
{{- end }}
{{- with without $rule.resources "secrets" }}
- {{ toYaml (mergeOverwrite (deepCopy $rule) (dict "resources" .)) | nindent 2 | trim }}
{{- end }}
{{- else }}
- {{ toYaml $rule | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- end }}
