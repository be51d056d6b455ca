"""The fault suite: what is killed, refused, lost or spoilt while the job runs, and what must hold afterwards."""
