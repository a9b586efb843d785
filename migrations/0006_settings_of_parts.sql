-- A text and its length beside one another: half as many blocks to read for a row, and smaller parts. Rows are merged
-- fewer times until their day is over, and merges compute no statistics, which no query gains from. New parts have it,
-- old ones when they are merged.
ALTER TABLE logs.logs
    MODIFY SETTING string_serialization_version = 'single_stream', merge_selector_base = 10, auto_statistics_types = '';
