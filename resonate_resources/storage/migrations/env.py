"""What Alembic runs migrations by: the connection, already in a transaction, that `schema` gives it."""

from alembic import context

from resonate_resources.storage.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # SQLite's, too, as transactions are begun by ourselves
)
context.run_migrations()
