internal import Core
package import Log
internal import RedisDriver
internal import Replay

/// Gauges that are read from the stores.
package enum LogGauges {
    /// How far every consumer group is behind, in entries and in time.
    package static func groups(_ stores: Stores, keys: LogKeys, metrics: Metrics) -> Probe {
        Probe(name: "groups") {
            let inspector = StreamInspector(keys: keys)
            let all = try await stores.log { session in try StreamName.allCases.map { try inspector.status($0, session) } }
            for stream in all {
                metrics.gauge("meshlog_stream_entries", help: "Entries in a stream", ["stream": stream.name.rawValue]).set(stream.length)
            }
            // Groups come and go with the backbones of the registry.
            func tell(_ name: String, _ help: String, _ value: (StreamStatus, StreamStatus.Group) -> Int) {
                metrics.gauges(
                    name, help: help,
                    all.flatMap { stream in stream.groups.map { (["stream": stream.name.rawValue, "group": $0.name], value(stream, $0)) } })
            }
            tell("meshlog_group_lag_entries", "Entries a group has still to pass; -1 when there are too many to count") { $1.lag ?? -1 }
            tell("meshlog_group_lag_milliseconds", "From the last entry a group has passed to the last one of its stream") { stream, group in
                milliseconds(from: group.lastDelivered, to: stream.last, first: stream.first)
            }
            tell("meshlog_group_pending_entries", "Entries delivered to a group and not acknowledged") { $1.pending }
        }
    }

    /// A group that has not begun is behind by what the stream holds.
    private static func milliseconds(from cursor: Position, to last: Position, first: Position?) -> Int {
        let from = max(cursor, first ?? last)
        return last > from ? Int(clamping: last.ms - from.ms) : 0
    }

    /// How many messages are held, and for how long the oldest has been, by Redis's clock.
    package static func sessions(_ stores: Stores, keys: LogKeys, metrics: Metrics) -> Probe {
        Probe(name: "sessions") {
            let log = SessionLog(keys: keys)
            let (open, oldest, now) = try await stores.log { session in
                (try log.openCount(session), try log.oldestOpen(session), try log.due(count: 0, session).now)
            }
            metrics.gauge("meshlog_sessions_open", help: "Held messages that wait for a person or their time").set(open)
            metrics.gauge("meshlog_sessions_oldest_age_milliseconds", help: "How long the message that is held the longest has been in the log")
                .set(oldest.map { Int(max(0, now - $0.microseconds) / 1_000) } ?? 0)
        }
    }

    /// How far the archive is.
    package static func archive(_ stores: Stores, metrics: Metrics) -> Probe {
        Probe(name: "archive") {
            let all = try await stores.archive { session in try ArchiveReader(session: session).checkpoints() }
            for checkpoint in all {
                metrics.gauge(
                    "meshlog_archive_position_milliseconds", help: "Time of the last archived entry, since the epoch", ["checkpoint": checkpoint.name]
                ).set(Int(clamping: checkpoint.position.ms))
                metrics.gauge("meshlog_archive_entries", help: "Entries archived since the beginning", ["checkpoint": checkpoint.name])
                    .set(Int(clamping: checkpoint.entries))
            }
        }
    }
}
