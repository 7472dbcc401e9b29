{{- /* The host of webhook.url; nothing where there is none. */ -}}
{{- define "lateen.urlHost" -}}
{{- with .Values.webhook.url }}{{ (urlParse .).hostname }}{{ end }}
{{- end }}

{{- /* What both webhooks have in common; takes the root as "root" and the path as "path". */ -}}
{{- define "lateen.webhook" -}}
{{- with .root -}}
clientConfig:
  {{- /* No caBundle: the webhook writes it, and renderings stay the same. */}}
  {{- if .Values.webhook.url }}
  url: {{ printf "%s%s" (trimSuffix "/" .Values.webhook.url) $.path | quote }}
  {{- else }}
  service:
    name: lateen-webhook
    namespace: {{ .Release.Namespace | quote }}
    path: {{ $.path }}
    port: 443
  {{- end }}
rules:
  - apiGroups: [core.oam.dev]
    apiVersions: [v1beta1]
    operations: [CREATE, UPDATE]
    resources: [applications]
    scope: Namespaced
namespaceSelector:
  matchExpressions:
    {{- /* A mistake of ours must not be in the way of mending it. */}}
    - key: kubernetes.io/metadata.name
      operator: NotIn
      values: [kube-system, {{ .Release.Namespace | quote }}]
    - key: lateen.dev/webhook
      {{- if eq .Values.webhook.namespaces "opt-in" }}
      operator: In
      values: [enabled]
      {{- else }}
      operator: NotIn
      values: [disabled]
      {{- end }}
{{- /* An UPDATE that changes neither the spec nor an annotation is none of our business. namespaceObject is never set here. */}}
matchConditions:
  - name: concerns-us
    expression: >-
      request.operation == "CREATE" || (!has(object.metadata.deletionTimestamp) &&
      (object.spec != oldObject.spec || object.metadata.?annotations.orValue({}) != oldObject.metadata.?annotations.orValue({})))
failurePolicy: {{ .Values.webhook.failurePolicy }}
matchPolicy: Equivalent
sideEffects: None
timeoutSeconds: {{ .Values.webhook.timeoutSeconds }}
admissionReviewVersions: [v1]
{{- end }}
{{- end }}
