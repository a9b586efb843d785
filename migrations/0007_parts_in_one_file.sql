-- A part as it was inserted, and one of less than 10 MiB, is one file, and one for each projection, instead of some two
-- hundred: inserts of few rows take half the CPU. Reading such a part needs ClickHouse 26.8; earlier ones have these
-- settings too, and ignore them. New parts have it.
ALTER TABLE logs.logs
    MODIFY SETTING min_level_for_full_part_storage = 1, min_bytes_for_full_part_storage = 10485760;
