"""Downloads: mappings, unmapped with reasons, conflicts, candidates, decisions, statistics; CSV, Excel, Parquet, JSON.

Every format has the same columns. Rows stream from one consistent state of the database into the file, so that the
size does not matter. CSV and Excel cells that a spreadsheet would run as a formula are quoted; numbers stay numbers.
"""

from w365.service.exporting.files import File, FileRequest, name_file, write_file, write_requested
from w365.service.exporting.rows import read_records
from w365.service.exporting.subjects import COLUMNS, EVERYTHING, MEDIA_TYPES, Format, Record, Subject
