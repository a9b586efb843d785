-- How many rows the record of a row has, and who read it: recovery and the audit find records that are stored in part.
ALTER TABLE logs.logs ADD COLUMN IF NOT EXISTS _items UInt16 CODEC(ZSTD(1)) AFTER _item;
ALTER TABLE logs.logs ADD COLUMN IF NOT EXISTS _reader LowCardinality(String) CODEC(ZSTD(1)) AFTER _items;
ALTER TABLE logs.logs ADD INDEX IF NOT EXISTS items_range _items TYPE minmax GRANULARITY 1;
