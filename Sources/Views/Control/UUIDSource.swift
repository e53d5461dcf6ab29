internal import Core
internal import Foundation

/// Gives documents their ids when their authors do not: UUIDv7.
struct UUIDSource: Sendable {
    func next() -> MessageUUID {
        var system = SystemRandomNumberGenerator()
        return .v7(ms: UInt64(max(0, Date().timeIntervalSince1970 * 1000)), random: (system.next(), system.next()))
    }
}
