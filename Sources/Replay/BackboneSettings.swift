package import NATSDriver

/// Settings of one NATS backbone.
package struct BackboneSettings: Sendable {
    package var url: String
    package var name: String
    package var credentials: NATSCredentials
    /// The stream that Meshlog keeps there.
    package var stream: String
    /// JetStream domain, if the server has one.
    package var domain: String?
    /// These count when the stream is created; later they are the server's to change.
    package var maxAge: Duration
    package var bytesMax: Int?
    package var replicas: Int
    /// How long the server recognises a repeated `Nats-Msg-Id` by itself.
    package var duplicateWindow: Duration
    /// For each step of a batch: flush, acks, every management call.
    package var timeout: Duration

    package init(
        url: String, name: String = "meshlog", credentials: NATSCredentials = .anonymous, stream: String = "MESHLOG", domain: String? = nil,
        maxAge: Duration = .seconds(7 * 86_400), bytesMax: Int? = nil, replicas: Int = 1, duplicateWindow: Duration = .seconds(120),
        timeout: Duration = .seconds(5)
    ) {
        self.url = url
        self.name = name
        self.credentials = credentials
        self.stream = stream
        self.domain = domain
        self.maxAge = maxAge
        self.bytesMax = bytesMax
        self.replicas = replicas
        self.duplicateWindow = duplicateWindow
        self.timeout = timeout
    }
}
