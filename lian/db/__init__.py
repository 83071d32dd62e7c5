"""Storage in Postgres: tables, the journal's writer, projections, migrations."""
