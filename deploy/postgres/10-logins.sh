#!/bin/sh
# Runs once, in an empty data volume, by the postgres image.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
	-v migrate_password="$MIGRATE_PASSWORD" -v app_password="$APP_PASSWORD" \
	-v engine_password="$ENGINE_PASSWORD" -v backup_password="$BACKUP_PASSWORD" \
	-f /logins/logins.sql
