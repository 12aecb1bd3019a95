#!/bin/sh
# DATABASE_URL_FILE and QUEUE_URL_FILE name files with the value, so that no password is in the
# container's definition. The process itself takes over this one's place and its signals.
set -eu
if [ -n "${DATABASE_URL_FILE:-}" ]; then
  DATABASE_URL=$(cat "$DATABASE_URL_FILE")
  export DATABASE_URL
fi
if [ -n "${QUEUE_URL_FILE:-}" ]; then
  QUEUE_URL=$(cat "$QUEUE_URL_FILE")
  export QUEUE_URL
fi
exec "$@"
