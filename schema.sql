-- The database and the table of logs, one statement each. The service runs them when the table is missing.
-- Needs ClickHouse 26.2 or newer (text index). The reasons for each part: docs/storage.md.

CREATE DATABASE IF NOT EXISTS logs;

CREATE TABLE IF NOT EXISTS logs.logs
(
    -- Fields of the event. Names and types are OpenTelemetry's, so that its tools recognise the table.
    Timestamp DateTime64(9, 'UTC') CODEC(GCD, Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    SeverityText LowCardinality(String) CODEC(ZSTD(1)),
    SeverityNumber UInt8 CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    Body String CODEC(ZSTD(1)),
    -- The form of Body in which it is searched, where that is not just lowercase: other scripts, signs, colours.
    _words String DEFAULT '' CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),

    -- Fields that people query most, as typed columns.
    UserId String CODEC(ZSTD(1)),
    ResponseTimeMs Nullable(Float32) CODEC(ZSTD(1)),

    -- Attributes that people group by: reading a column costs a tenth of reading the maps. You can add more.
    attribute_http_route LowCardinality(String)
        MATERIALIZED if(LogAttributes['http.route'] != '', LogAttributes['http.route'], ResourceAttributes['http.route'])
        CODEC(ZSTD(1)),
    attribute_http_status_code LowCardinality(String)
        MATERIALIZED if(LogAttributes['http.status_code'] != '', LogAttributes['http.status_code'],
            ResourceAttributes['http.status_code'])
        CODEC(ZSTD(1)),
    attribute_host_name LowCardinality(String) MATERIALIZED ResourceAttributes['host.name'] CODEC(ZSTD(1)),

    -- Where the row comes from. Topic id, partition, offset and item are its identity.
    _topic LowCardinality(String) CODEC(ZSTD(1)),
    _topic_id LowCardinality(String) CODEC(ZSTD(1)),
    _partition UInt16 CODEC(T64, ZSTD(1)),
    _offset UInt64 CODEC(DoubleDelta, ZSTD(1)),
    _item UInt16 CODEC(ZSTD(1)),
    -- How many rows its record has (0: not known), and who read it: a name for version and settings of the service.
    _items UInt16 CODEC(ZSTD(1)),
    _reader LowCardinality(String) CODEC(ZSTD(1)),
    -- Which run has stored a rejected row anew, the latest the highest; 0 for what the service stored itself.
    _revision UInt64 CODEC(ZSTD(1)),
    _ingested DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(GCD, Delta(8), ZSTD(1)),
    -- The server refuses an insert that it gets to after this moment (fencing): a former owner's batch cannot land.
    _deadline DateTime64(3, 'UTC') DEFAULT now64(3) + 60 CODEC(Delta(8), ZSTD(1)),

    -- What was not understood, and why. Both are empty for nearly every row.
    ParseError LowCardinality(String) CODEC(ZSTD(1)),
    _raw String CODEC(ZSTD(1)),

    INDEX timestamp_range Timestamp TYPE minmax GRANULARITY 1,
    INDEX body_words lower(Body) TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking'),
    INDEX words _words TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking'),
    INDEX trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX user_id UserId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offset_range _offset TYPE minmax GRANULARITY 1,
    INDEX items_range _items TYPE minmax GRANULARITY 1,
    INDEX attribute_http_route attribute_http_route TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX attribute_http_status_code attribute_http_status_code TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX attribute_host_name attribute_host_name TYPE bloom_filter(0.01) GRANULARITY 1,

    PROJECTION per_minute
    (
        SELECT toStartOfMinute(Timestamp), ServiceName, SeverityText, SeverityNumber,
            count(), count(ResponseTimeMs), sum(ResponseTimeMs)
        GROUP BY toStartOfMinute(Timestamp), ServiceName, SeverityText, SeverityNumber
    ),
    PROJECTION per_hour
    (
        SELECT toStartOfHour(Timestamp), ServiceName, SeverityText, SeverityNumber,
            count(), count(ResponseTimeMs), sum(ResponseTimeMs)
        GROUP BY toStartOfHour(Timestamp), ServiceName, SeverityText, SeverityNumber
    ),
    PROJECTION per_user
    (
        SELECT UserId, toStartOfFiveMinutes(Timestamp), count(), count(ResponseTimeMs), sum(ResponseTimeMs)
        GROUP BY UserId, toStartOfFiveMinutes(Timestamp)
    ) WITH SETTINGS (index_granularity = 512),
    PROJECTION per_trace
    (
        SELECT bitShiftRight(cityHash64(TraceId), 32), toStartOfFiveMinutes(Timestamp)
        GROUP BY bitShiftRight(cityHash64(TraceId), 32), toStartOfFiveMinutes(Timestamp)
    ) WITH SETTINGS (index_granularity = 512),
    PROJECTION response_times_per_minute
    (
        SELECT toStartOfMinute(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17), count()
        GROUP BY toStartOfMinute(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17)
    ),
    PROJECTION response_times_per_hour
    (
        SELECT toStartOfHour(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17), count()
        GROUP BY toStartOfHour(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17)
    ),
    PROJECTION response_times_per_day
    (
        SELECT toStartOfDay(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17), count()
        GROUP BY toStartOfDay(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17)
    ),
    PROJECTION ledger
    (
        SELECT _topic_id, _partition, intDiv(_offset, 65536),
            count(), min(_offset), max(_offset), sum(_offset), sum(_offset * _offset), countIf(ParseError != '')
        GROUP BY _topic_id, _partition, intDiv(_offset, 65536)
    ),
    CONSTRAINT on_time CHECK nowInBlock64(3) < _deadline
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
PRIMARY KEY (toStartOfFiveMinutes(Timestamp), ServiceName)
ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)
TTL toDateTime(Timestamp) + INTERVAL 30 DAY DELETE
SETTINGS
    index_granularity = 2048,
    min_compress_block_size = 32768,
    string_serialization_version = 'single_stream',
    default_compression_codec = 'ZSTD(1)',
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    lightweight_mutation_projection_mode = 'rebuild',
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 7200,
    min_age_to_force_merge_on_partition_only = 1,
    merge_selector_base = 10,
    min_level_for_full_part_storage = 1,
    min_bytes_for_full_part_storage = 10485760,
    auto_statistics_types = ''
-- The number of the last file in migrations/. A new table needs none of these files.
COMMENT 'schema 7';
