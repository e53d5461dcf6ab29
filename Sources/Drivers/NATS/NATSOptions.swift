/// How a connection presents itself.
package enum NATSCredentials: Sendable {
    case anonymous
    case user(String, password: String)
    case token(String)
    /// A `.creds` file (JWT and seed), read again at each connect.
    case file(path: String)
}

/// What a connection does when its server goes away.
package enum NATSReconnect: Sendable {
    /// Comes back by itself, forever, with back-off (100 ms doubling to 5 s, jittered); subscriptions are restored by nats.c.
    case always
    /// Closes. For publishers that must know exactly what belongs to which session.
    case never
}

/// Settings of one connection.
package struct NATSOptions: Sendable {
    /// `nats://host:port`, `tls://…`; several servers of one cluster separated by commas.
    package var url: String
    /// Shown by the server's monitoring.
    package var name: String
    package var credentials: NATSCredentials
    package var reconnect: NATSReconnect
    package var connectTimeout: Duration
    package var reconnectBufferBytesMax: Int
    package var pingInterval: Duration
    /// For accounts whose permissions name an inbox; `_INBOX` by default.
    package var inboxPrefix: String?
    /// Certificate authorities for `tls://`; the system's by default.
    package var certificateAuthorityFile: String?
    /// Off: headers by nats.c's public functions even where the faster way is known to work (see `CreateMessage.swift`).
    package var preformatsHeaders = true

    package init(
        url: String, name: String = "meshlog", credentials: NATSCredentials = .anonymous, reconnect: NATSReconnect = .always,
        connectTimeout: Duration = .seconds(2), reconnectBufferBytesMax: Int = NATSLimits.reconnectBufferBytesMax,
        pingInterval: Duration = .seconds(20), inboxPrefix: String? = nil, certificateAuthorityFile: String? = nil
    ) {
        precondition(reconnectBufferBytesMax > 0, "nats.c takes 0 for its default of 8 MB")
        self.url = url
        self.name = name
        self.credentials = credentials
        self.reconnect = reconnect
        self.connectTimeout = connectTimeout
        self.reconnectBufferBytesMax = reconnectBufferBytesMax
        self.pingInterval = pingInterval
        self.inboxPrefix = inboxPrefix
        self.certificateAuthorityFile = certificateAuthorityFile
    }
}
