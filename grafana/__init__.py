"""Grafana as this project sets it up: data sources, alerts, dashboards."""
