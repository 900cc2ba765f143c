#!/bin/sh
# Give the two roles their passwords, in the container of PostgreSQL, when its cluster is made.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set app="$ETALON_APP_PASSWORD" --set owner="$ETALON_OWNER_PASSWORD" <<'SQL'
ALTER ROLE etalon_app PASSWORD :'app';
ALTER ROLE etalon_owner PASSWORD :'owner';
SQL
