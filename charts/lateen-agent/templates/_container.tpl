{{- define "lateen-agent.container" -}}
name: lateen-agent
image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [lateen-agent]
args:
  - --namespace={{ .Release.Namespace }}
  - --applications={{ .Values.applications }}
  - --min-interval={{ .Values.minInterval }}
  - --git-timeout={{ .Values.gitTimeout }}
  - --max-requests={{ .Values.maxRequests | int }}
  - --log-level={{ .Values.logLevel }}
  - --cache-dir=/var/cache/lateen
  - --health-address=:8080
ports:
  - name: health
    containerPort: 8080
livenessProbe:
  httpGet: {path: /healthz, port: health}
readinessProbe:
  httpGet: {path: /readyz, port: health}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
volumeMounts:
  - {name: cache, mountPath: /var/cache/lateen}
  - {name: tmp, mountPath: /tmp}
{{- end }}
