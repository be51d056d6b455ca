#!/bin/sh
# The roles of the image. The operator starts `jobmanager` and `taskmanager` with Flink's configuration mounted;
# `pool` runs beside a TaskManager, `services` beside a submission, and anything else is a command.
# JAVA_OPTS holds the sizes of the JVM, which must agree with those in Flink's configuration.
set -eu
role=$1
conf=${FLINK_CONF_DIR:-/opt/flink/conf}

java_() {
  # shellcheck disable=SC2086
  exec java ${JAVA_OPTS:-} -XX:+ExitOnOutOfMemoryError \
    --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.lang.invoke=ALL-UNNAMED \
    --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.util.concurrent=ALL-UNNAMED \
    --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.net=ALL-UNNAMED \
    --add-opens=java.base/java.io=ALL-UNNAMED --add-opens=java.base/java.time=ALL-UNNAMED \
    --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \
    --add-modules=jamm --module-path=/opt/flink/jamm --add-opens=java.base/java.lang=jamm \
    -Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.showShortLogName=true \
    -Dorg.slf4j.simpleLogger.log.org.apache.kafka=warn \
    -cp '/opt/flink/launcher:/opt/flink/lib/*' "$@"
}

case "$role" in
  jobmanager)
    shift
    java_ org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint --configDir "$conf" "$@" ;;
  taskmanager)
    shift
    java_ LoopbackFlink taskmanager --configDir "$conf" "$@" ;;
  services)
    # The ports are those that runners/flink takes where nothing else is said.
    python -c "import zipfile; zipfile.ZipFile('/tmp/empty.jar', 'w').writestr('META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\n\n')"
    java_ LoopbackFlink services 18097 "--flink-master=$FLINK_MASTER" --job-host=127.0.0.1 --job-port=18099 --artifact-port=18098 \
      --expansion-port=-1 --artifacts-dir=/tmp/artifacts -- \
      --experiments=use_deprecated_read --defaultEnvironmentType=EMBEDDED --filesToStage=/tmp/empty.jar ;;
  pool)
    exec python -m runners.flink.worker_pool --port=18050 ;;
  *)
    exec "$@" ;;
esac
