-- Projections for queries over hours, days, users and traces; columns for common attributes; merges of past days.
ALTER TABLE logs.logs ADD COLUMN IF NOT EXISTS
    attribute_http_route LowCardinality(String)
        MATERIALIZED if(LogAttributes['http.route'] != '', LogAttributes['http.route'], ResourceAttributes['http.route'])
        CODEC(ZSTD(1));
ALTER TABLE logs.logs ADD COLUMN IF NOT EXISTS
    attribute_http_status_code LowCardinality(String)
        MATERIALIZED if(LogAttributes['http.status_code'] != '', LogAttributes['http.status_code'],
            ResourceAttributes['http.status_code'])
        CODEC(ZSTD(1));
ALTER TABLE logs.logs ADD COLUMN IF NOT EXISTS
    attribute_host_name LowCardinality(String) MATERIALIZED ResourceAttributes['host.name'] CODEC(ZSTD(1));
ALTER TABLE logs.logs ADD PROJECTION IF NOT EXISTS per_hour
(
    SELECT toStartOfHour(Timestamp), ServiceName, SeverityText, SeverityNumber,
        count(), count(ResponseTimeMs), sum(ResponseTimeMs)
    GROUP BY toStartOfHour(Timestamp), ServiceName, SeverityText, SeverityNumber
);
ALTER TABLE logs.logs ADD PROJECTION IF NOT EXISTS per_user
(
    SELECT UserId, toStartOfFiveMinutes(Timestamp), count(), count(ResponseTimeMs), sum(ResponseTimeMs)
    GROUP BY UserId, toStartOfFiveMinutes(Timestamp)
) WITH SETTINGS (index_granularity = 512);
ALTER TABLE logs.logs ADD PROJECTION IF NOT EXISTS per_trace
(
    SELECT bitShiftRight(cityHash64(TraceId), 32), toStartOfFiveMinutes(Timestamp)
    GROUP BY bitShiftRight(cityHash64(TraceId), 32), toStartOfFiveMinutes(Timestamp)
) WITH SETTINGS (index_granularity = 512);
ALTER TABLE logs.logs ADD PROJECTION IF NOT EXISTS response_times_per_minute
(
    SELECT toStartOfMinute(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17), count()
    GROUP BY toStartOfMinute(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17)
);
ALTER TABLE logs.logs ADD PROJECTION IF NOT EXISTS response_times_per_hour
(
    SELECT toStartOfHour(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17), count()
    GROUP BY toStartOfHour(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17)
);
ALTER TABLE logs.logs ADD PROJECTION IF NOT EXISTS response_times_per_day
(
    SELECT toStartOfDay(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17), count()
    GROUP BY toStartOfDay(Timestamp), ServiceName, bitShiftRight(reinterpretAsUInt32(ResponseTimeMs), 17)
);
ALTER TABLE logs.logs MODIFY SETTING min_age_to_force_merge_seconds = 7200, min_age_to_force_merge_on_partition_only = 1;
