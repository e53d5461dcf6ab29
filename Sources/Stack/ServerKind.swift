/// The servers of the embedded stack, in the order in which they stop.
package enum ServerKind: String, CaseIterable, Sendable, Comparable {
    case nats
    case redis
    case postgresql

    /// The name a person knows it by.
    package var title: String {
        switch self {
        case .nats: "NATS"
        case .redis: "Redis"
        case .postgresql: "PostgreSQL"
        }
    }

    /// What stops it in order: PostgreSQL calls SIGINT its fast shutdown, the other two flush and leave on SIGTERM.
    var stopSignal: Int32 { self == .postgresql ? Signals.interrupt : Signals.terminate }

    package static func < (left: ServerKind, right: ServerKind) -> Bool {
        ServerKind.allCases.firstIndex(of: left)! < ServerKind.allCases.firstIndex(of: right)!
    }
}
