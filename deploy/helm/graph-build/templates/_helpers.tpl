{{- define "graph-build.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}
{{- end }}

{{- define "graph-build.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "graph-build.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "graph-build.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "graph-build.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "graph-build.fullname" .) .Values.serviceAccount.name }}
{{- else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{- define "graph-build.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else }}{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end }}
{{- end }}

{{/* Labels and annotations of a pod. Takes root and component. */}}
{{- define "graph-build.podMetadata" -}}
labels:
  {{- include "graph-build.selector" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
  {{- with .root.Values.podLabels }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with .root.Values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What all pods have, before their containers. */}}
{{- define "graph-build.podSpec" -}}
serviceAccountName: {{ include "graph-build.serviceAccountName" . }}
automountServiceAccountToken: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "graph-build.podSecurity" . | nindent 2 }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "graph-build.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAsUser }}
runAsGroup: {{ .Values.runAsUser }}
fsGroup: {{ .Values.runAsUser }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "graph-build.containerSecurity" -}}
privileged: false
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Image, environment and mounts of a container. Takes root and the booleans kafka, neo4j and archive: what it speaks to; topics: whether
     it reads the list of topics. */}}
{{- define "graph-build.container" -}}
image: {{ include "graph-build.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
env:
  {{- include "graph-build.env" . | nindent 2 }}
securityContext:
  {{- include "graph-build.containerSecurity" . | nindent 2 }}
volumeMounts:
  {{- if or .kafka .neo4j }}
  - name: secrets
    mountPath: /secrets
    readOnly: true
  {{- end }}
  {{- if and .archive .root.Values.archive.existingClaim }}
  - name: archive
    mountPath: /archive
  {{- end }}
  - name: tmp
    mountPath: /tmp
{{- end }}

{{- define "graph-build.env" -}}
{{- $values := .root.Values }}
{{- if .kafka }}
- name: KAFKA_BROKERS
  value: {{ required "kafka.brokers must name the brokers, as host:port, comma-separated" $values.kafka.brokers | quote }}
- name: KAFKA_GROUP
  value: {{ $values.kafka.group | quote }}
{{- if and .topics $values.kafka.topics }}
- name: KAFKA_TOPICS
  value: {{ $values.kafka.topics | quote }}
{{- end }}
- name: KAFKA_SECURITY_PROTOCOL
  value: {{ printf "%s%s" (ternary "SASL_" "" (ne $values.kafka.sasl.username "")) (ternary "PLAINTEXT" "SSL" $values.kafka.plaintext) }}
{{- if $values.kafka.sasl.username }}
- name: KAFKA_SASL_MECHANISM
  value: {{ $values.kafka.sasl.mechanism }}
- name: KAFKA_SASL_USERNAME
  value: {{ $values.kafka.sasl.username | quote }}
- name: KAFKA_SASL_PASSWORD_FILE
  value: /secrets/kafka-sasl-password
{{- end }}
{{- if and $values.kafka.caSecretKey (not $values.kafka.plaintext) }}
- name: KAFKA_SSL_CA_FILE
  value: /secrets/kafka-ca.pem
{{- end }}
{{- end }}
{{- if .neo4j }}
- name: NEO4J_URI
  value: {{ include "graph-build.neo4jUri" .root | quote }}
- name: NEO4J_USER
  value: {{ $values.neo4j.user | quote }}
- name: NEO4J_DATABASE
  value: {{ $values.neo4j.database | quote }}
- name: NEO4J_PASSWORD_FILE
  value: /secrets/neo4j-password
{{- if and $values.neo4j.caSecretKey (not $values.neo4j.plaintext) }}
- name: NEO4J_CA_FILE
  value: /secrets/neo4j-ca.pem
{{- end }}
{{- end }}
{{- if and .archive $values.archive.existingClaim }}
- name: ARCHIVE
  value: /archive
{{- end }}
{{- end }}

{{/* Certificates of a private authority turn TLS on for the plain scheme; with +s the driver trusts the system's alone. */}}
{{- define "graph-build.neo4jUri" -}}
{{- $host := required "neo4j.host must name the graph server" .Values.neo4j.host }}
{{- printf "%s://%s:%d" (ternary "neo4j" "neo4j+s" (or .Values.neo4j.plaintext (ne .Values.neo4j.caSecretKey ""))) $host (int .Values.neo4j.port) }}
{{- end }}

{{/* The volumes that `graph-build.container` mounts. Takes the same. */}}
{{- define "graph-build.volumes" -}}
{{- if or .kafka .neo4j }}
- name: secrets
  secret:
    {{- include "graph-build.secretItems" . | nindent 4 }}
{{- end }}
{{- if and .archive .root.Values.archive.existingClaim }}
- name: archive
  persistentVolumeClaim:
    claimName: {{ .root.Values.archive.existingClaim }}
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 1Gi
{{- end }}

{{- define "graph-build.secretItems" -}}
{{- $values := .root.Values -}}
secretName: {{ $values.existingSecret }}
defaultMode: 0440
items:
  {{- if .neo4j }}
  - key: {{ $values.neo4j.secretKey }}
    path: neo4j-password
  {{- if and $values.neo4j.caSecretKey (not $values.neo4j.plaintext) }}
  - key: {{ $values.neo4j.caSecretKey }}
    path: neo4j-ca.pem
  {{- end }}
  {{- end }}
  {{- if .kafka }}
  {{- if $values.kafka.sasl.username }}
  - key: {{ $values.kafka.sasl.secretKey }}
    path: kafka-sasl-password
  {{- end }}
  {{- if and $values.kafka.caSecretKey (not $values.kafka.plaintext) }}
  - key: {{ $values.kafka.caSecretKey }}
    path: kafka-ca.pem
  {{- end }}
  {{- end }}
{{- end }}
