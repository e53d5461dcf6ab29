import CNats
import Glibc

/// Makes a nats.c connection from settings.
func openConnection(_ settings: NATSOptions, events: UInt) throws(NATSError) -> OpaquePointer {
    var options: OpaquePointer?
    try check(natsOptions_Create(&options), "options")
    defer { natsOptions_Destroy(options) }
    try address(settings, options)
    try authenticate(settings.credentials, options)
    try set("name", natsOptions_SetName(options, settings.name))
    try set("timeout", natsOptions_SetTimeout(options, settings.connectTimeout.natsMilliseconds))
    try set("ping interval", natsOptions_SetPingInterval(options, settings.pingInterval.natsMilliseconds))
    try set("write deadline", natsOptions_SetWriteDeadline(options, 5_000))
    try set("requests", natsOptions_SetFailRequestsOnDisconnect(options, true))
    try set("pending", natsOptions_SetMaxPendingMsgs(options, Int32(NATSLimits.pendingMessagesMax)))
    if let prefix = settings.inboxPrefix { try set("inbox prefix", natsOptions_SetCustomInboxPrefix(options, prefix)) }
    switch settings.reconnect {
    case .never:
        try set("reconnect", natsOptions_SetAllowReconnect(options, false))
    case .always:
        try set("reconnect", natsOptions_SetMaxReconnect(options, -1))
        try set("reconnect buffer", natsOptions_SetReconnectBufSize(options, Int32(clamping: settings.reconnectBufferBytesMax)))
        try set("back-off", natsOptions_SetCustomReconnectDelay(options, { _, attempts, _ in backOff(attempts) }, nil))
    }
    try set("events", ConnectionEvents.install(events, in: options))
    var connection: OpaquePointer?
    try check(natsConnection_Connect(&connection, options), "connect")
    guard let connection else { throw .unavailable(reason: "connect") }
    return connection
}

/// Milliseconds before the next attempt: 100 doubling to 5,000, of which the upper half is random.
private func backOff(_ attempts: Int32) -> Int64 {
    let full: Int64 = min(5_000, 100 << Int64(min(max(attempts, 1) - 1, 6)))
    return full / 2 + Int64.random(in: 0...full / 2)
}

private func address(_ settings: NATSOptions, _ options: OpaquePointer?) throws(NATSError) {
    let urls = settings.url.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
    let pointers = urls.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    var list = pointers.map { UnsafePointer($0) }
    try set("url", natsOptions_SetServers(options, &list, Int32(list.count)))
    if urls.contains(where: { $0.hasPrefix("tls://") }) {
        try set("tls", natsOptions_SetSecure(options, true))
        if let file = settings.certificateAuthorityFile { try set("tls", natsOptions_LoadCATrustedCertificates(options, file)) }
    }
}

private func authenticate(_ credentials: NATSCredentials, _ options: OpaquePointer?) throws(NATSError) {
    switch credentials {
    case .anonymous: break
    case .user(let name, let password): try set("user", natsOptions_SetUserInfo(options, name, password))
    case .token(let token): try set("token", natsOptions_SetToken(options, token))
    case .file(let path): try set("credentials file", natsOptions_SetUserCredentialsFromFiles(options, path, nil))
    }
}

private func set(_ what: String, _ status: natsStatus) throws(NATSError) {
    try check(status, "setting the \(what)")
}
