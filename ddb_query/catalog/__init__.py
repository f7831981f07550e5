"""Which data there is: metadata tables found, added, pulled and generated, and their checks."""

from ddb_query.catalog.catalog import Catalog, Status
from ddb_query.catalog.registry import Added
from ddb_query.catalog.tables import MetadataTable, check_table

__all__ = ["Added", "Catalog", "MetadataTable", "Status", "check_table"]
