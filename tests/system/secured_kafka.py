"""A broker with logins and rights, beside the stack's, which has neither."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from runners.local.service import await_services
from runners.local.services import Kafka
from runners.local.stack import free_stack_ports
from transforms.io.kafka.target import quiet

ADMIN: Final = ("admin", "admin-password")
USER: Final = ("builder", "builder-password")
_GRANTED_S: Final = 15.0
Right = tuple[ResourceType, str, AclOperation]


class SecuredKafka(Kafka):
    """SASL_PLAINTEXT with PLAIN logins; who is granted nothing may do nothing."""

    def __init__(self, folder: Path, jars: Path) -> None:
        ports = free_stack_ports()
        super().__init__(folder, jars, ports.kafka, ports.kafka_controller)

    def _conf(self, data: Path) -> str:
        module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        users = " ".join(f'user_{name}="{password}"' for name, password in (ADMIN, USER))
        login = f'{module} username="{ADMIN[0]}" password="{ADMIN[1]}" {users};'
        settings = {
            "listener.security.protocol.map": "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.plaintext.plain.sasl.jaas.config": login,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # The broker speaks to its own controller without a login.
            "super.users": f"User:{ADMIN[0]};User:ANONYMOUS",
        }
        return super()._conf(data) + "".join(f"{key}={value}\n" for key, value in settings.items())

    def is_ready(self) -> bool:
        try:
            return bool(self.admin().list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    def admin(self) -> AdminClient:
        return AdminClient(
            {
                "bootstrap.servers": self.brokers,
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "PLAIN",
                "sasl.username": ADMIN[0],
                "sasl.password": ADMIN[1],
                "log_level": 0,
                "error_cb": quiet,
            }
        )

    def make(self, *topics: NewTopic) -> None:
        admin = self.admin()
        for made in admin.create_topics([*topics]).values():
            made.result()

    def grant(self, rights: Iterable[Right]) -> None:
        """Give the user rights, and return once the broker goes by them; one that is granted already stays."""
        bindings = [
            AclBinding(kind, name, ResourcePatternType.LITERAL, f"User:{USER[0]}", "*", operation, AclPermissionType.ALLOW)
            for kind, name, operation in rights
        ]
        admin = self.admin()
        for granted in admin.create_acls(bindings).values():
            granted.result()
        # The controller answers before the broker has heard of it.
        limit = time.monotonic() + _GRANTED_S
        for one in bindings:
            wanted = AclBindingFilter(
                one.restype, one.name, one.resource_pattern_type, one.principal, one.host, one.operation, one.permission_type
            )
            while not admin.describe_acls(wanted).result():
                assert time.monotonic() < limit, f"{one} is not granted after {_GRANTED_S:.0f} s"
                time.sleep(0.05)

    def up(self) -> None:
        self.start()
        await_services([self])
