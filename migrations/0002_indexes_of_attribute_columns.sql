-- Finds logs with a rare value of an attribute without reading the attribute's whole column.
ALTER TABLE logs.logs
    ADD INDEX IF NOT EXISTS attribute_http_route attribute_http_route TYPE bloom_filter(0.01) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS attribute_http_status_code attribute_http_status_code TYPE bloom_filter(0.01) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS attribute_host_name attribute_host_name TYPE bloom_filter(0.01) GRANULARITY 1;
