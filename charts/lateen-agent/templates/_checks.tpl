{{- /* Renders to nothing, or fails with all that is missing or wrong, and what to do. */ -}}
{{- define "lateen-agent.checks" -}}
{{- $problems := list }}
{{- if not .Values.image.repository }}
{{- $problems = append $problems "image.repository is not set, and no image of Lateen is published yet. Build one with `docker build -t IMAGE .` in the checkout of Lateen, push it, and pass --set image.repository=IMAGE without the tag (docs/install.md)." }}
{{- end }}
{{- if not .Values.applications }}
{{- $problems = append $problems "applications is not set. Pass --set applications=all where there is no vela-core: the agent reconciles every Application of the namespace. Pass --set applications=gitops beside vela-core: it reconciles those with a kustomize component and leaves the others alone." }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (eq .Values.cache.volume "persistentVolumeClaim") (ne .Values.cache.accessMode "ReadWriteMany") }}
{{- $problems = append $problems (printf "replicas is %v and cache.accessMode is %s: two pods cannot share that volume. Set cache.accessMode=ReadWriteMany, or cache.volume=emptyDir." .Values.replicas .Values.cache.accessMode) }}
{{- end }}
{{- if $problems }}
{{- fail (printf "\n\n  %s\n" (join "\n  " $problems)) }}
{{- end }}
{{- end }}

{{- /* In vela-core's own namespace it would be the definition of every namespace, and displace that of the fluxcd addon. */ -}}
{{- define "lateen-agent.checkDefinition" -}}
{{- if eq .Release.Namespace "vela-system" }}
{{- fail "\n\n  velaCore.componentDefinition is for the namespace of a tenant: in vela-system it would take the place of the definition kustomize for the whole cluster.\n" }}
{{- end }}
{{- if ne .Values.applications "gitops" }}
{{- fail "\n\n  velaCore.componentDefinition is for an agent beside vela-core: set applications=gitops, or leave it off.\n" }}
{{- end }}
{{- end }}

{{- /* The Role is the boundary of a tenant: nothing in the values may open it. */ -}}
{{- define "lateen-agent.checkRights" -}}
{{- $problems := list }}
{{- if contains "cluster-admin" (toYaml .Values) }}
{{- $problems = append $problems "a value names cluster-admin. The agent has a Role of its own namespace and nothing more: say in rbac.rules what it may do there." }}
{{- end }}
{{- range $index, $rule := .Values.rbac.rules }}
{{- range $field := list "apiGroups" "resources" "verbs" "resourceNames" }}
{{- range $value := (get $rule $field | default list) }}
{{- if contains "*" $value }}
{{- $problems = append $problems (printf "rbac.rules[%d].%s holds %q: name each one. `*` would also mean what nobody here has thought of." $index $field $value) }}
{{- end }}
{{- if and (eq $field "verbs") (has $value (list "bind" "escalate" "impersonate")) }}
{{- $problems = append $problems (printf "rbac.rules[%d].verbs holds %q: with it whoever writes to Git could give himself more rights than the agent has. Remove it." $index $value) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if $problems }}
{{- fail (printf "\n\n  %s\n" (join "\n  " $problems)) }}
{{- end }}
{{- end }}
