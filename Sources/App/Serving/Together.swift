internal import ServiceLifecycle

/// Parts that do not need each other: they end at once, and not one after the other. Where one ends by itself, all do.
struct Together: Service, CustomStringConvertible {
    let description: String
    let parts: [any Service]

    /// Makes one of what stands behind `first`.
    static func join(_ services: inout [any Service], from first: Int, _ name: String) {
        guard services.count > first else { return }
        services[first...] = [Together(description: name, parts: Array(services[first...]))]
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in parts { group.addTask { try await part.run() } }
            try await group.next()
            if !Task.isShuttingDownGracefully { group.cancelAll() }
            try await group.waitForAll()
        }
    }
}

/// A part of the process as a service.
struct Part: Service, CustomStringConvertible {
    let name: String
    let body: @Sendable () async throws -> Void

    var description: String { name }
    func run() async throws { try await body() }
}
