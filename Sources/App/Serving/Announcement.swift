internal import NIOConcurrencyHelpers
internal import ServiceLifecycle

/// Says that the process is up once everything that people try first will answer.
final class Announcement: Sendable {
    /// A server that hangs does not keep the others from being used.
    private static let patience = Duration.seconds(10)
    private static let interval = Duration.milliseconds(10)

    private let port = NIOLockedValueBox<Int?>(nil)
    private let conditions = NIOLockedValueBox<[@Sendable () async -> Bool]>([])

    /// The HTTP port listens.
    func listens(on port: Int) { self.port.withLockedValue { $0 = port } }

    /// Waits for this as well, for a while.
    func awaits(_ condition: @escaping @Sendable () async -> Bool) { conditions.withLockedValue { $0.append(condition) } }

    /// Serves until shutdown; calls `say` once, with the port.
    func run(_ say: @escaping @Sendable (Int) async -> Void) async {
        await cancelWhenGracefulShutdown { [self] in
            let began = ContinuousClock.now
            var left = conditions.withLockedValue { $0 }
            while !Task.isCancelled {
                while let next = left.first, await next() { left.removeFirst() }
                if let port = port.withLockedValue({ $0 }), left.isEmpty || ContinuousClock.now - began > Announcement.patience {
                    await say(port)
                    break
                }
                try? await Task.sleep(for: Announcement.interval)
            }
            try? await gracefulShutdown()
        }
    }
}
