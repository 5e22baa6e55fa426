"""What tells an operator how an installation is: metrics for Prometheus, health and readiness. Nothing here works
at tracks. What runs themselves say, logs and traces, is in resonate_resources.watching."""
