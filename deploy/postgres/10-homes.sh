#!/bin/bash
# Runs once, when the server's data directory is made: per home a database and its owner, who makes the tables and the
# roles of the home's services (`polku migrate`) and nothing else here.
set -eu
for home in lead node; do
    psql -v ON_ERROR_STOP=1 --no-psqlrc -U "${POSTGRES_USER:-postgres}" -d postgres -v home="$home" -v owner="${home}_owner" <<SQL
\getenv password ${home^^}_OWNER_PASSWORD
CREATE ROLE :"owner" LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE :"home" OWNER :"owner";
REVOKE ALL ON DATABASE :"home" FROM PUBLIC;
SQL
done
