package com.clickhouse.kafka.connect.sink;

/** The class that the connector's own build generates. */
public final class Version {
    public static final String ARTIFACT_VERSION = "1.5.0";

    private Version() {}
}
