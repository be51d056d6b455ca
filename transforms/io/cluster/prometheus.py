"""What a Prometheus server scrapes and which rules it has, as it says itself."""

import httpx2

from transforms.io.cluster.api import WHOLE_BYTES, ApiFault
from transforms.records.redaction.text import redact_text


class PrometheusClient:
    """Reads of one server's API. url: without a path, or with the prefix under which it is served."""

    def __init__(self, url: str, timeout_s: float = 20.0) -> None:
        self._http = httpx2.Client(base_url=url.rstrip("/"), timeout=timeout_s, trust_env=False)

    def targets(self) -> bytes:
        """The answer of /api/v1/targets, of those that are scraped."""
        return self._get("/api/v1/targets?state=active")

    def rules(self) -> bytes:
        """The answer of /api/v1/rules."""
        return self._get("/api/v1/rules")

    def _get(self, path: str) -> bytes:
        found = bytearray()
        try:
            with self._http.stream("GET", path) as response:
                if response.status_code != httpx2.codes.OK:
                    raise ApiFault(response.status_code, f"Prometheus answers {path} with {response.status_code}")
                for chunk in response.iter_bytes():
                    found += chunk
                    if len(found) > WHOLE_BYTES:
                        raise ApiFault(0, f"Prometheus's answer to {path} has more than {WHOLE_BYTES} bytes")
        except httpx2.HTTPError as error:
            raise ApiFault(0, f"Prometheus: {path}: {type(error).__name__} {redact_text(str(error))[:200]}") from None
        return bytes(found)

    def close(self) -> None:
        self._http.close()
