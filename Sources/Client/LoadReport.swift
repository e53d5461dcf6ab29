internal import Core

/// What a load did, of one connection or of all.
package struct LoadReport: Sendable {
    /// Messages that were acknowledged.
    package var acknowledged = 0
    /// Messages that were answered with anything else, 503 included.
    package var refused = 0
    /// Bytes of the acknowledged messages.
    package var bytes = 0
    /// One for each request (http, ndjson) or message (websocket).
    package var latencies = Latencies()
    /// What the first refusal or broken connection said.
    package var firstFault: String?
    /// Connections that broke.
    package var broken = 0

    package init() {}

    package mutating func merge(_ other: LoadReport) {
        acknowledged += other.acknowledged
        refused += other.refused
        bytes += other.bytes
        latencies.merge(other.latencies)
        firstFault = firstFault ?? other.firstFault
        broken += other.broken
    }

    /// Lines for people.
    package func lines(elapsed: Duration) -> [String] {
        let times = latencies.percentiles([0.5, 0.99, 1])
        var out = [
            "\(Amounts.count(acknowledged)) messages in \(Amounts.time(elapsed)): \(Amounts.count(Amounts.rate(acknowledged, in: elapsed))) msgs/s, "
                + "\(Amounts.bytes(Amounts.rate(bytes, in: elapsed)))/s",
            "latency p50 \(Amounts.latency(microseconds: times[0])), p99 \(Amounts.latency(microseconds: times[1])), max \(Amounts.latency(microseconds: times[2]))",
        ]
        if refused > 0 { out.append("\(Amounts.count(refused)) not acknowledged; the first: \(firstFault ?? "")") }
        return out
    }

    package func json(mode: String, connections: Int, messageBytes: Int, elapsed: Duration) -> [UInt8] {
        let times = latencies.percentiles([0.5, 0.99, 1])
        var object = JSONObject()
        object.add("mode", mode)
        object.add("connections", connections)
        object.add("message_bytes", messageBytes)
        object.add("acknowledged", acknowledged)
        object.add("refused", refused)
        object.add("broken_connections", broken)
        object.add("milliseconds", Int(elapsed / .milliseconds(1)))
        object.add("messages_per_second", Amounts.rate(acknowledged, in: elapsed))
        object.add("bytes_per_second", Amounts.rate(bytes, in: elapsed))
        object.add("p50_us", times[0])
        object.add("p99_us", times[1])
        object.add("max_us", times[2])
        return object.finish()
    }
}
