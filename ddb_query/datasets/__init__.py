"""Which datasets there are: tables found, added, pulled and generated, and their checks."""

from ddb_query.datasets.catalog import Catalog
from ddb_query.datasets.metadata_table import MetadataTable, check_table

__all__ = ["Catalog", "MetadataTable", "check_table"]
