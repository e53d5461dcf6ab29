internal import NIOConcurrencyHelpers
internal import Synchronization

/// A count that only grows.
package final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    package init() {}
    package func add(_ amount: Int = 1) { value.add(amount, ordering: .relaxed) }
    package var current: Int { value.load(ordering: .relaxed) }
}

/// A value that goes up and down.
package final class Gauge: Sendable {
    private let value = Atomic<Int>(0)
    package init() {}
    package func set(_ newValue: Int) { value.store(newValue, ordering: .relaxed) }
    package func add(_ amount: Int) { value.add(amount, ordering: .relaxed) }
    package var current: Int { value.load(ordering: .relaxed) }
}

/// Durations or sizes, counted in buckets that double.
package final class Histogram: Sendable {
    /// Upper bounds of the buckets, in the unit of the values.
    package let bounds: [Int]
    private let counts: [Counter]
    private let total = Counter()
    private let sum = Counter()

    /// - Parameter first: the smallest bound; the others double it, `steps` in all.
    package init(first: Int, steps: Int) {
        bounds = (0..<steps).map { first << $0 }
        counts = (0...steps).map { _ in Counter() }
    }

    package func record(_ value: Int, times: Int = 1) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count].add(times)
        total.add(times)
        sum.add(value * times)
    }

    package var snapshot: (counts: [Int], total: Int, sum: Int) { (counts.map(\.current), total.current, sum.current) }
}

/// Everything the process counts, rendered as Prometheus text.
///
/// - Source: Prometheus exposition format 0.0.4.
package final class Metrics: Sendable {
    private enum Series: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram, divisor: Double)
    }
    private struct Family: Sendable {
        let help: String
        let type: String
        var series: [(labels: String, series: Series)] = []
    }
    private let families = NIOLockedValueBox<[String: Family]>([:])

    package init() {}

    /// The counter of this name and these labels; made at the first call.
    package func counter(_ name: String, help: String, _ labels: KeyValuePairs<String, String> = [:]) -> Counter {
        if case .counter(let found) = series(name, help, "counter", labels, make: { .counter(Counter()) }) { return found }
        preconditionFailure("the metric \(name) is no counter")
    }

    package func gauge(_ name: String, help: String, _ labels: KeyValuePairs<String, String> = [:]) -> Gauge {
        if case .gauge(let found) = series(name, help, "gauge", labels, make: { .gauge(Gauge()) }) { return found }
        preconditionFailure("the metric \(name) is no gauge")
    }

    /// Sets all series of a gauge at once: one that is not among them is there no more, as when what it tells of is gone.
    package func gauges(_ name: String, help: String, _ values: [(labels: KeyValuePairs<String, String>, value: Int)]) {
        let series = values.map { labels, value in
            let gauge = Gauge()
            gauge.set(value)
            return (labels: Metrics.text(labels), series: Series.gauge(gauge))
        }
        families.withLockedValue { $0[name] = Family(help: help, type: "gauge", series: series) }
    }

    /// A histogram of microseconds, shown in seconds.
    package func latency(_ name: String, help: String, _ labels: KeyValuePairs<String, String> = [:]) -> Histogram {
        if case .histogram(let found, _) = series(name, help, "histogram", labels, make: { .histogram(Histogram(first: 64, steps: 20), divisor: 1e6) }) {
            return found
        }
        preconditionFailure("the metric \(name) is no histogram")
    }

    /// A histogram of counts.
    package func sizes(_ name: String, help: String, _ labels: KeyValuePairs<String, String> = [:]) -> Histogram {
        if case .histogram(let found, _) = series(name, help, "histogram", labels, make: { .histogram(Histogram(first: 1, steps: 14), divisor: 1) }) {
            return found
        }
        preconditionFailure("the metric \(name) is no histogram")
    }

    private func series(_ name: String, _ help: String, _ type: String, _ labels: KeyValuePairs<String, String>, make: () -> Series) -> Series {
        let text = Metrics.text(labels)
        return families.withLockedValue { families in
            var family = families[name] ?? Family(help: help, type: type)
            if let found = family.series.first(where: { $0.labels == text }) { return found.series }
            let made = make()
            family.series.append((text, made))
            families[name] = family
            return made
        }
    }

    private static func text(_ labels: KeyValuePairs<String, String>) -> String {
        labels.map { "\($0.key)=\"\(escaped($0.value))\"" }.joined(separator: ",")
    }

    /// By code points: a line break or quotation mark may be one character with what stands beside it.
    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    package func render() -> String {
        var out = ""
        for (name, family) in families.withLockedValue({ $0 }).sorted(by: { $0.key < $1.key }) {
            out += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.type)\n"
            for (labels, series) in family.series {
                let braces = labels.isEmpty ? "" : "{\(labels)}"
                switch series {
                case .counter(let counter): out += "\(name)\(braces) \(counter.current)\n"
                case .gauge(let gauge): out += "\(name)\(braces) \(gauge.current)\n"
                case .histogram(let histogram, let divisor):
                    let (counts, total, sum) = histogram.snapshot
                    var running = 0
                    let comma = labels.isEmpty ? "" : ","
                    for (bound, count) in zip(histogram.bounds, counts) {
                        running += count
                        out += "\(name)_bucket{\(labels)\(comma)le=\"\(Double(bound) / divisor)\"} \(running)\n"
                    }
                    out +=
                        "\(name)_bucket{\(labels)\(comma)le=\"+Inf\"} \(total)\n\(name)_sum\(braces) \(Double(sum) / divisor)\n\(name)_count\(braces) \(total)\n"
                }
            }
        }
        return out
    }
}
