{{- define "graph-agent.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "graph-agent.labels" -}}
app.kubernetes.io/name: graph-agent
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "graph-agent.selector" -}}
app.kubernetes.io/name: graph-agent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What a schema cannot say, each in a sentence. */}}
{{- define "graph-agent.check" -}}
{{- $kinds := .Files.Get "files/kinds.yaml" | fromYaml -}}
{{- range $kind, $_ := $kinds -}}
{{- if eq (lower $kind) $.Values.client.id -}}
{{- fail (printf "client.id is %q, which is the name of a kind; a key %s::x would name an object. Choose another name for the cluster." $.Values.client.id $.Values.client.id) -}}
{{- end -}}
{{- end -}}
{{- range .Values.kinds -}}
{{- if not (hasKey $kinds .) -}}
{{- fail (printf "kinds names %q; it must be one of %s." . (keys $kinds | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- $sasl := hasPrefix "SASL" .Values.kafka.securityProtocol -}}
{{- if and $sasl (not .Values.kafka.sasl.secretName) -}}
{{- fail (printf "kafka.securityProtocol is %s, and kafka.sasl.secretName is empty; name a Secret with the key password." .Values.kafka.securityProtocol) -}}
{{- end -}}
{{- if and $sasl (eq .Values.kafka.sasl.mechanism "OAUTHBEARER") (not .Values.kafka.sasl.oauth.tokenUrl) -}}
{{- fail "kafka.sasl.mechanism is OAUTHBEARER, and kafka.sasl.oauth.tokenUrl is empty; give the URL of the token endpoint." -}}
{{- end -}}
{{- if and .Values.kafka.tls.clientCertificate (not .Values.kafka.tls.secretName) -}}
{{- fail "kafka.tls.clientCertificate is true, and kafka.tls.secretName is empty; name a Secret with keypair.pem." -}}
{{- end -}}
{{- end -}}

{{/* The names of the kinds that are read. */}}
{{- define "graph-agent.kinds" -}}
{{- $kinds := .Files.Get "files/kinds.yaml" | fromYaml -}}
{{- $named := list -}}
{{- range $kind, $of := $kinds -}}
{{- if and (or (has $kind $.Values.kinds) (and (not $.Values.kinds) $of.usual)) (or $.Values.secrets.enabled (ne $kind "Secret")) -}}
{{- $named = append $named $kind -}}
{{- end -}}
{{- end -}}
{{- $named | sortAlpha | join "," -}}
{{- end -}}

{{- define "graph-agent.image" -}}
{{ .Values.agent.image.repository }}:{{ .Values.agent.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "graph-agent.env" -}}
- {name: CLIENT_ID, value: {{ .Values.client.id | quote }}}
{{- with .Values.client.name }}
- {name: CLUSTER_NAME, value: {{ . | quote }}}
{{- end }}
- {name: KAFKA_BROKERS, value: {{ .Values.kafka.brokers | quote }}}
- {name: KAFKA_SECURITY_PROTOCOL, value: {{ .Values.kafka.securityProtocol }}}
- {name: TOPIC_PER_CLUSTER, value: {{ .Values.kafka.topicPerCluster | quote }}}
{{- if hasPrefix "SASL" .Values.kafka.securityProtocol }}
- {name: KAFKA_SASL_MECHANISM, value: {{ .Values.kafka.sasl.mechanism }}}
- {name: KAFKA_SASL_USERNAME, value: {{ .Values.kafka.sasl.username | quote }}}
- {name: KAFKA_SASL_PASSWORD_FILE, value: /etc/kafka-login/password}
{{- with .Values.kafka.sasl.oauth.tokenUrl }}
- {name: KAFKA_OAUTH_TOKEN_URL, value: {{ . | quote }}}
{{- end }}
{{- with .Values.kafka.sasl.oauth.scope }}
- {name: KAFKA_OAUTH_SCOPE, value: {{ . | quote }}}
{{- end }}
{{- end }}
{{- if .Values.kafka.tls.secretName }}
- {name: KAFKA_SSL_CA_FILE, value: /etc/kafka-tls/ca.crt}
{{- if .Values.kafka.tls.clientCertificate }}
- {name: KAFKA_SSL_KEYPAIR_FILE, value: /etc/kafka-tls/keypair.pem}
{{- end }}
{{- end }}
- {name: KINDS, value: {{ include "graph-agent.kinds" . | quote }}}
{{- if .Values.customKinds }}
- {name: CUSTOM_KINDS, value: {{ join "," .Values.customKinds | quote }}}
{{- end }}
- {name: SECRETS_ENABLED, value: {{ .Values.secrets.enabled | quote }}}
- {name: CALLS_ENABLED, value: {{ .Values.calls.enabled | quote }}}
- {name: EVENTS_ENABLED, value: {{ .Values.events.enabled | quote }}}
{{- with .Values.prometheus.url }}
- {name: PROMETHEUS_URL, value: {{ . | quote }}}
{{- end }}
- {name: MANIFEST_S, value: {{ .Values.manifestSeconds | quote }}}
- {name: LEASE, value: {{ include "graph-agent.name" . }}}
- {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
{{- end -}}

{{- define "graph-agent.mounts" -}}
{{- if .Values.kafka.tls.secretName }}
- {name: kafka-tls, mountPath: /etc/kafka-tls, readOnly: true}
{{- end }}
{{- if hasPrefix "SASL" .Values.kafka.securityProtocol }}
- {name: kafka-login, mountPath: /etc/kafka-login, readOnly: true}
{{- end }}
{{- end -}}

{{- define "graph-agent.volumes" -}}
{{- if .Values.kafka.tls.secretName }}
- {name: kafka-tls, secret: {secretName: {{ .Values.kafka.tls.secretName }}, defaultMode: 0440}}
{{- end }}
{{- if hasPrefix "SASL" .Values.kafka.securityProtocol }}
- {name: kafka-login, secret: {secretName: {{ .Values.kafka.sasl.secretName }}, defaultMode: 0440}}
{{- end }}
{{- end -}}

{{- define "graph-agent.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "graph-agent.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}
