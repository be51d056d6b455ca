"""Whether Kafka's brokers answer; faults of the network, of TLS and of the login told apart."""

from typing import Final, NamedTuple

from runners.doctor.verdict import Check, failed, ok
from transforms.io.kafka.probe import Brokers, ConnectFault
from transforms.io.kafka.target import KafkaTarget

BROKERS: Final = "brokers"


class _Kind(NamedTuple):
    """A kind of fault: librdkafka's codes and words, any of which tells it, what it is, and what to do."""

    codes: tuple[str, ...]
    words: tuple[str, ...]
    what: str
    remedy: str

    def fits(self, fault: ConnectFault) -> bool:
        return fault.code in self.codes or any(word in fault.said for word in self.words)


# The first that fits decides: from what only one cause has to what every fault brings with it.
_KINDS: Final = (
    _Kind(
        (),
        ("ssl.ca.location", "ssl.key.location", "ssl.certificate.location"),
        "the TLS files cannot be used",
        "Fix KAFKA_SSL_CA_FILE and KAFKA_SSL_KEYPAIR_FILE: PEM files that this user can read.",
    ),
    _Kind(("_INVALID_ARG",), (), "the settings cannot be used", "Fix the KAFKA_SASL and KAFKA_SSL settings."),
    _Kind(
        (),
        ("PLAINTEXT broker listener", "supported mechanisms:  (", "supported mechanisms: (", "SSL listener", "Invalid response size"),
        "it answers in another security protocol, if it is Kafka at all",
        "Set KAFKA_SECURITY_PROTOCOL to that of the listener, or KAFKA_BROKERS to a listener of that protocol.",
    ),
    _Kind(
        (),
        ("certificate verify failed", "unable to get local issuer", "self-signed", "self signed"),
        "its TLS certificate is not trusted here",
        "Name the certificates to trust with KAFKA_SSL_CA_FILE, and the host in KAFKA_BROKERS as the certificate does.",
    ),
    _Kind(
        ("_SSL",),
        ("SSL handshake failed", "certificate required", "bad certificate"),
        "the TLS handshake failed",
        "Fix KAFKA_SSL_CA_FILE; where the broker wants a client's certificate, KAFKA_SSL_KEYPAIR_FILE too.",
    ),
    _Kind(
        (),
        ("supported mechanisms",),
        "it does not know this login mechanism",
        "Set KAFKA_SASL_MECHANISM to one that the broker names.",
    ),
    _Kind(
        ("_AUTHENTICATION", "SASL_AUTHENTICATION_FAILED"),
        (),
        "it refused the login",
        "Fix KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD or KAFKA_SASL_PASSWORD_FILE.",
    ),
    _Kind(("_RESOLVE",), (), "its name is unknown here", "Fix KAFKA_BROKERS, or the name service."),
    _Kind(("_TRANSPORT",), (), "it cannot be reached", "Start it, or fix KAFKA_BROKERS."),
)
_SILENT: Final = _Kind(
    (),
    (),
    "it gave no answer",
    "Check that Kafka listens there, that no firewall is between, and KAFKA_SECURITY_PROTOCOL: a listener that wants TLS or a login "
    "tells nothing to a client without.",
)


def judge_brokers(target: KafkaTarget, told: Brokers | tuple[ConnectFault, ...]) -> Check:
    """ok with who answered; failed with the most telling of the faults."""
    if isinstance(told, Brokers):
        version = f", protocol {told.version}" if told.version else ""
        brokers = "1 broker" if told.number == 1 else f"{told.number} brokers"
        return ok(BROKERS, f"{told.answered} answered: cluster {told.cluster_id}, {brokers}{version}")
    kind, said = _most_telling(told)
    return failed(BROKERS, f"Kafka at {target.brokers}: {kind.what}{f' ({said})' if said else ''}", kind.remedy)


def _most_telling(faults: tuple[ConnectFault, ...]) -> tuple[_Kind, str]:
    fitting = ((kind, fault.said) for kind in _KINDS for fault in faults if kind.fits(fault))
    return next(fitting, (_SILENT, ""))
