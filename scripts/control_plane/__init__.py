"""The lab: etcd, API server, controllers and scheduler as they are, and a kubelet that plays pods; on loopback, for tests and trials."""
