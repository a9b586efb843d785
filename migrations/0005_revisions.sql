-- Which run of `python -m app reprocess` has stored a row anew; 0 for what the service stored itself.
ALTER TABLE logs.logs ADD COLUMN IF NOT EXISTS _revision UInt64 CODEC(ZSTD(1)) AFTER _reader;
