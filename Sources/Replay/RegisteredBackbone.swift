package import Core
internal import Foundation

/// A backbone of the registry that rules may send messages to.
package struct RegisteredBackbone: Sendable, Hashable {
    package let id: String
    /// As it stands in a verdict's targets.
    package let name: String
    package let url: String
    /// Where it was registered; nothing before can be meant for it.
    package let since: Position

    package init(id: String, name: String, url: String, since: Position) {
        self.id = id
        self.name = name
        self.url = url
        self.since = since
    }

    /// Why nothing can be sent there; nil when something can.
    var fault: String? {
        guard let scheme = URLComponents(string: url)?.scheme?.lowercased() else { return "the backbone '\(name)' has no public_url" }
        return ["nats", "tls", "ws", "wss"].contains(scheme) ? nil : "the public_url of the backbone '\(name)' is none of NATS: \(url)"
    }
}
