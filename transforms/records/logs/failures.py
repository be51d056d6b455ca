"""Which lines of a log tell of a failure, and of which kind: a declared table of families of patterns.

Patterns are RE2's, matched in any case and anywhere in a line. The first family in declared order that matches gives the
reason. The next family is one entry here, or one of a settings file; those of a file come before these.
"""

from typing import Final

# (reason, patterns) in order: plain values, so that they travel to workers.
Families = tuple[tuple[str, tuple[str, ...]], ...]

FAMILIES: Final[Families] = (
    (
        "LOG_OOM",
        (
            r"\bout of memory\b",
            r"\bOOM-?kill(?:ed|er|ing)?\b",
            r"\bOutOfMemory(?:Error|Exception)?\b",
            r"\b(?:cannot|can't|failed to|unable to|could not) allocate (?:\S+ )?memory\b",
            r"\bJavaScript heap out\b|\bGC overhead limit\b|\bMemoryError\b|\bbad_alloc\b",
        ),
    ),
    (
        "LOG_PANIC",
        (
            r"(?:^|[\s:\]\"])panic: ",
            r"\bpanic\(\"|\bruntime error: |\bfatal error: |\bkernel panic\b|\bpanicked at\b",
            r"\bTraceback \(most recent call last\)",
            r"\bException in thread\b|\bUn(?:handled|caught) (?:exception|promise rejection|error)\b|\bUnhandledPromiseRejection",
            r"\b(?:java|javax|kotlin|scala|org|com|io|net)\.[\w.$]{1,200}(?:Exception|Error)\b",
            r"\bNullPointerException\b|\bNullReferenceException\b|\bStackOverflowError\b",
            r"\bsegmentation fault\b|\bSIG(?:SEGV|ABRT|BUS|ILL)\b|\bcore dumped\b|\bassertion failed\b|\bnil pointer dereference\b",
        ),
    ),
    (
        "LOG_DISK",
        (
            r"\bno space left on device\b|\bENOSPC\b|\bdisk (?:is )?full\b|\bdisk quota exceeded\b|\bdisk pressure\b",
            r"\bread-only file system\b|\bEROFS\b|\binput/output error\b|\bstale (?:NFS )?file handle\b|\btoo many open files\b|\bEMFILE\b",
            r"\b(?:failed to|unable to|cannot|could not|timed out \S+) (?:attach|mount) |\bFailed(?:Mount|AttachVolume)\b|\bmount failed\b",
            r"\bslow fdatasync\b|\bdisk I/O error\b",
        ),
    ),
    (
        "LOG_IMAGE",
        (
            r"\b(?:ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName|ImageInspectError)\b",
            r"\b(?:failed to|unable to|cannot|could not|error) pull(?:ing)? (?:and unpack )?(?:the )?image\b",
            r"\bimage can't be pulled\b|\bmanifest unknown\b|\bpull access denied\b|\bexec format error\b",
        ),
    ),
    (
        "LOG_CRASH",
        (
            r"\bCrashLoopBackOff\b|\bback-off (?:\S+ )?restarting failed\b|\bRunContainerError\b|\bCreateContainer(?:Config)?Error\b",
            r"\b(?:liveness|readiness|startup|health) ?(?:probe|check) (?:has )?(?:failed|errored)\b|\bprobe failed\b",
            r"\bhealthcheck (?:has )?failed\b|\bunhealthy status\b|\bfailed health ?check\b|\"health\":\s?false",
            r"\b(?:exited|terminated|died) with (?:exit )?(?:code|status) (?:[1-9]|-)|\bexit (?:code|status) ?[:=]? ?[1-9]",
            r"\bkilled by signal\b|\bterminated unexpectedly\b|\bgave up waiting\b|\bservice disruption detected\b",
        ),
    ),
    (
        "LOG_DNS",
        (
            r"\bno such host\b|\bNXDOMAIN\b|\bSERVFAIL\b|\bUnknownHostException\b|\bENOTFOUND\b|\bEAI_AGAIN\b|\bgetaddrinfo\b",
            r"\b(?:name or service not known|name does not resolve|temporary failure in name resolution|nodename nor servname)\b",
            r"\bserver misbehaving\b|\b(?:could not|cannot|failed to|unable to) resolve (?:the )?(?:host|name|address|\S*\.)",
            r"\bplugin/errors: [0-9]|\bhost not found\b|\bdns (?:lookup|resolution|error|failure)\S* ?(?:failed|error)?:",
        ),
    ),
    (
        "LOG_TLS",
        (
            r"\bx509: |\bTLS handshake (?:error|timeout|failed|failure)\b|\bremote error: tls\b",
            r"\btls: (?:bad|failed|internal|unknown|first|hand)",
            r"\bcertificate (?:has |is )?(?:expired|revoked|not yet valid|unknown|verify failed|signed by unknown authority)",
            r"\bSSL(?:_|: ?|Error|Handshake)(?:CERTIFICATE|ERROR|Exception|wrong|Error)|\bSSLHandshakeException\b|\bSSLError\b",
            r"\b(?:authentication|ssl) handshake failed\b|\bself[- ]signed certificate\b|\bunable to get local issuer\b",
            r"\bPKIX path\b|\bhostname mismatch\b|\bfailed (?:while )?requesting a signed certificate\b",
        ),
    ),
    (
        "LOG_AUTH",
        (
            r"\bunauthori[sz]ed\b|\bauthentication (?:failed|failure|error|required)\b|\bpassword authentication failed\b",
            r"\b(?:invalid|bad|expired|missing|wrong) (?:bearer |access |auth |api |id )?(?:token|credentials?|password|api key)\b",
            r"\btoken (?:has |is )?(?:expired|invalid|revoked)\b|\baccess token expired\b|\blogin failed\b|\bNOAUTH\b|\bWRONGPASS\b",
            r"\bSASL authentication|\bcode = Unauthenticated\b|\bcould not authenticate\b|\bunable to authenticate\b",
            r"\berror contacting auth provider\b",
            r"\b(?:status|code|http|response)(?: ?code)?\W{1,3}401\b",
        ),
    ),
    (
        "LOG_PERMISSION",
        (
            r"\bpermission denied\b|\bEACCES\b|\bEPERM\b|\boperation not permitted\b|\baccess (?:is )?denied\b|\bcode = PermissionDenied\b",
            r"\bforbidden: |\bis forbidden\b|\b403 forbidden\b|\bnot authorized\b|\binsufficient (?:permission|privilege|scope)s?\b",
            r"\bstatus code '?403\b|\bAccessDenied\b",
        ),
    ),
    (
        "LOG_QUOTA",
        (
            r"\b(?:exceeded|exceeds|over) (?:the )?(?:\w+ )?quota\b|\bquota (?:exceeded|reached)\b|\bcode = ResourceExhausted\b",
            r"\btoo many requests\b|\brate[ -]?limit(?:ed|ing)? (?:exceeded|reached|hit)\b|\brate exceeded\b|\bThrottlingException\b",
            r"\b(?:status|code|http|response)(?: ?code)?\W{1,3}429\b",
            r"\btoo many (?:connections|clients)\b|\bconnection pool (?:is )?exhausted\b",
            r"\bpool exhausted\b|\brequest limit exceeded\b",
        ),
    ),
    (
        "LOG_DATA",
        (
            r"\b(?:data|index|file|table|checksum|page|wal|segment|snapshot)\b.{0,24}\bcorrupt(?:ed|ion)?\b",
            r"\bcorrupt(?:ed|ion)? (?:in|of|data|index|file|record|page)\b",
            r"\bchecksum (?:mismatch|error|failed)\b|\bviolates (?:\S+ ){0,3}constraint\b|\bduplicate key\b|\bforeign key constraint\b",
            r"\bdeadlock (?:found|detected)\b|\bintegrity(?:Error| constraint violation)\b|\bDuplicate entry\b",
            r"\b(?:failed to|unable to|cannot|could not|error) (?:pars|decod|deseriali[sz]|unmarshal|marshal)(?:e|ing|al|)\b",
            r"\b(?:parse|syntax|decode|decoding|json|serialization) error\b",
            r"\bunexpected end of (?:JSON|input|file|data)\b|\binvalid character .{1,8} looking for\b",
            r"\bJSONDecodeError\b|\bSQLSTATE\b|\bORA-[0-9]{5}\b|\bschema (?:mismatch|validation failed)\b",
        ),
    ),
    (
        "LOG_CONNECTION",
        (
            r"\bconnection (?:was |is )?(?:refused|reset|aborted|lost|closed unexpectedly|closed by)\b|\bECONN(?:REFUSED|RESET|ABORTED)\b",
            r"\bbroken pipe\b|\bEPIPE\b|\bno route to host\b|\b(?:network|host) is unreachable\b|\bE(?:HOST|NET)UNREACH\b",
            r"\b(?:failed|unable|not possible|cannot|could not|can't|couldn't) (?:to )?(?:connect|dial|reach)\b|\bUnableToConnect\b",
            r"\bsocket hang up\b|\bunexpected EOF\b|\bconnection error: desc = \W{1,2}(?:transport: |error )",
            r"\bdial (?:tcp|udp|unix)\b.{0,80}: connect\b",
            r"\blost (?:TCP )?(?:streaming )?connection\b|\brejected connection\b|\bserver closed the connection\b|\bfailed to dial\b",
            r"\bno endpoints available\b|\b(?:ConnectException|RedisConnectionException|ConnectionError|CommunicationsException)\b",
        ),
    ),
    (
        "LOG_TIMEOUT",
        (
            r"\bdeadline exceeded\b|\bDeadlineExceeded\b|\btimed[ -]?out\b|\bETIMEDOUT\b|\bESOCKETTIMEDOUT\b",
            r"\b(?:i/o|request|read|write|connect(?:ion)?|gateway|lock wait|handshake|operation) timeout\b(?:[^=\s(]|$|\s[^=(\d])",
            r"\btimeout (?:exceeded|expired|while|waiting|awaiting|reached|occurred|after)\b",
            r"\b(?:Read|Connect|Socket)?Timeout(?:Error|Exception)\b",
            r"\bunable to return a response in the time allotted\b|\bnot ready after\b|\bwatchdog\b.{0,32}\bexpired\b",
        ),
    ),
    (
        "LOG_DEPENDENCY",
        (
            r"\bservice (?:is )?(?:temporarily )?unavailable\b|\bcode = (?:Unavailable|FailedPrecondition|Internal|Aborted|DataLoss)\b",
            r"\b(?:bad gateway|gateway timeout|internal server error)\b",
            r"\bcircuit ?breaker\b.{0,24}\bopen\b|\bupstream (?:connect|request|prematurely)",
            r"\b(?:status|code|http|response)(?: ?code)?\W{1,3}50[0234]\b|\bHTTP/[12](?:\.[01])?\" 50[0234]\b",
            r"\bno (?:healthy|live|available) (?:upstream|backend|server|host|node|instance|leader|broker)s?\b",
            r"\bleader (?:not available|changed)\b",
            r"\blost leader\b|\bNotLeaderForPartition\b|\bBrokerNotAvailable\b|\betcdserver: no leader",
            r"\b(?:dependency|backend|upstream|database|broker|redis|kafka|mysql) (?:is )?(?:unavailable|unreachable|down|not ready)\b",
            r"\bcould not (?:retrieve|fetch|load|get) \S|\bfailed to (?:retrieve|fetch|list|watch|sync|join|register with) \S",
        ),
    ),
)
