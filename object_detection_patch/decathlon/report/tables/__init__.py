"""One file a table or a family of tables: `Results` -> `Table`."""
