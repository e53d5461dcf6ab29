internal import Foundation
internal import Logging
internal import NIOConcurrencyHelpers
internal import ServiceLifecycle

/// Asks the servers whether they are there and brings gauges up to date, again and again, so that `/readyz` and `/metrics` answer
/// at once from what is known, whatever hangs.
package final class Pulse: Sendable {
    /// What is known of one server.
    struct Health: Sendable, Equatable {
        let name: String
        /// µs since the epoch since when it has not answered; nil when it does.
        let missingSince: Int64?
    }

    private struct Record {
        /// It has answered, or not, once.
        var isKnown = false
        var missingSince: Int64?
        /// When the question that is under way was asked.
        var askedAt: Int64?
    }

    private let servers: [Probe]
    private let gauges: [Probe]
    private let startedAt = Pulse.now
    private let records: NIOLockedValueBox<[String: Record]>
    private let log = Logger(label: "meshlog.pulse")

    /// - Parameters:
    ///   - servers: without them the process is not ready.
    ///   - gauges: set gauges; where one fails, its gauges keep their values.
    package init(servers: [Probe], gauges: [Probe]) {
        self.servers = servers
        self.gauges = gauges
        let startedAt = startedAt
        records = NIOLockedValueBox(Dictionary(uniqueKeysWithValues: servers.map { ($0.name, Record(missingSince: startedAt)) }))
    }

    /// Serves until shutdown.
    package func run() async {
        await cancelWhenGracefulShutdown { [self] in
            await withDiscardingTaskGroup { group in
                for server in servers {
                    group.addTask { await server.serve() }
                    group.addTask { await self.watch(server) }
                }
                for gauge in gauges { group.addTask { await Pulse.refresh(gauge) } }
            }
        }
    }

    /// In the order of the probes. A server that has not been asked yet is missing.
    var health: [Health] {
        let now = Pulse.now
        let patience = Int64(ViewLimits.pulsePatience / .microseconds(1))
        return records.withLockedValue { records in
            servers.map { server in
                guard let record = records[server.name] else { preconditionFailure("every server has a record") }
                let hanging = record.askedAt.flatMap { now - $0 > patience ? $0 : nil }
                return Health(name: server.name, missingSince: record.missingSince ?? hanging ?? (server.isUsed() ? nil : startedAt))
            }
        }
    }

    /// Every server has answered, or not, once.
    package var hasAsked: Bool { records.withLockedValue { $0.values.allSatisfy(\.isKnown) } }

    /// Does this server not answer?
    package func misses(_ name: String) -> Bool { health.contains { $0.name == name && $0.missingSince != nil } }

    private func watch(_ server: Probe) async {
        while !Task.isCancelled {
            records.withLockedValue { $0[server.name]?.askedAt = Pulse.now }
            let reason: String?
            do {
                try await server.ask()
                reason = nil
            } catch {
                reason = "\(error)"
            }
            settle(server.name, reason)
            try? await Task.sleep(for: ViewLimits.pulseInterval)
        }
    }

    private func settle(_ name: String, _ reason: String?) {
        let changed = records.withLockedValue { records in
            let asked = records[name]?.askedAt
            let wasMissing = records[name]?.missingSince != nil
            records[name]?.askedAt = nil
            records[name]?.isKnown = true
            if reason == nil { records[name]?.missingSince = nil } else if !wasMissing { records[name]?.missingSince = asked }
            return wasMissing != (reason != nil)
        }
        guard changed else { return }
        if let reason {
            log.warning("a server does not answer", metadata: ["server": "\(name)", "reason": "\(reason)"])
        } else {
            log.info("a server answers", metadata: ["server": "\(name)"])
        }
    }

    private static func refresh(_ gauge: Probe) async {
        while !Task.isCancelled {
            try? await gauge.ask()
            try? await Task.sleep(for: ViewLimits.pulseInterval)
        }
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }
}
