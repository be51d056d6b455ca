"""The Grafana dashboard and the alert rules, declared beside the metrics that they ask for."""
