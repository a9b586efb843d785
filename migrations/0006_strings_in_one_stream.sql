-- A text and its length beside one another: half as many blocks to read for a row, and smaller parts. New parts have it,
-- old ones when they are merged.
ALTER TABLE logs.logs MODIFY SETTING string_serialization_version = 'single_stream';
