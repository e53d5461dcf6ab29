/// How far a long work is, on one line.
package struct ProgressLine: Sendable {
    package var lines = 0
    package var bytes = 0
    /// Bytes of the whole work; nil when nobody knows (standard input).
    package let bytesTotal: Int?

    package init(bytesTotal: Int?) { self.bytesTotal = bytesTotal }

    /// `[#####-----]  48 %  1,024 lines  1.6 MB  12,400 msgs/s  ETA 0:07`, at most `width` columns.
    package func text(elapsed: Duration, width: Int) -> String {
        var parts: [String] = []
        if let bytesTotal {
            let share = bytesTotal > 0 ? min(1, Double(bytes) / Double(bytesTotal)) : 1
            let filled = Int(share * Double(ProgressLine.barWidth))
            parts.append("[" + String(repeating: "#", count: filled) + String(repeating: "-", count: ProgressLine.barWidth - filled) + "]")
            parts.append(DisplayText.padded("\(Int(share * 100)) %", to: 5, right: true))
        }
        parts.append("\(Amounts.count(lines)) lines")
        parts.append(Amounts.bytes(bytes))
        parts.append("\(Amounts.count(Amounts.rate(lines, in: elapsed))) msgs/s")
        if let left = remaining(elapsed) { parts.append("ETA \(Amounts.time(left))") }
        return DisplayText.cut(parts.joined(separator: "  "), to: width)
    }

    /// Time still needed at the speed so far; nil when it cannot be known.
    private func remaining(_ elapsed: Duration) -> Duration? {
        guard let bytesTotal, bytes > 0, bytes < bytesTotal else { return nil }
        return elapsed * (Double(bytesTotal - bytes) / Double(bytes))
    }

    private static let barWidth = 24
}
