import Client
import Testing

@Suite struct DisplayTests {
    @Test(
        "A text that fits is left as it is, a longer one ends in an ellipsis",
        arguments: [
            ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abc", 0, ""), ("", 5, ""), ("日本語", 6, "日本語"), ("日本語", 5, "日本…"), ("日本語", 4, "日…"), ("日本", 1, "…"),
            ("ae\u{301}iou", 3, "ae\u{301}…"),
        ])
    func cut(text: String, width: Int, expected: String) {
        let cut = DisplayText.cut(text, to: width)
        #expect(cut == expected)
        #expect(DisplayText.width(cut) <= width)
    }

    @Test("A payload cannot steer the terminal")
    func line() {
        #expect(DisplayText.line("a\u{1B}[31mb\r\n\tc\u{202E}d\u{9B}e\u{0}") == "a [31mb cd e ")
    }

    @Test("A table's columns are as wide as their cells, numbers stand right, and the last column is cut")
    func table() {
        var table = TextTable([.init("NAME", widthMax: 6), .init("N", isNumber: true), .init("TEXT")])
        table.add(["a", "1", "short"])
        table.add(["longer than six", "1,000", "a text that does not fit"])
        #expect(table.lines(width: 24) == ["NAME        N  TEXT", "a           1  short", "longe…  1,000  a text t…"])
    }

    @Test("Numbers are written for people")
    func amounts() {
        #expect([0, 999, 1000, 4092, 1_234_567, -1000].map { Amounts.count($0) } == ["0", "999", "1,000", "4,092", "1,234,567", "-1,000"])
        #expect([0, 999, 1000, 6_592_902, 2_500_000_000_000].map { Amounts.bytes($0) } == ["0 B", "999 B", "1.0 kB", "6.6 MB", "2.5 TB"])
        let times: [Duration] = [.milliseconds(840), .seconds(12), .seconds(187), .seconds(3729)]
        #expect(times.map { Amounts.time($0) } == ["0.8 s", "12 s", "3:07", "1:02:09"])
        #expect([999, 1230, 2_500_000].map { Amounts.latency(microseconds: $0) } == ["999 µs", "1.23 ms", "2.50 s"])
        #expect(Amounts.rate(100, in: .zero) == 0)
    }

    @Test("The progress line shows the share, the speed and the time left, and keeps to the width")
    func progress() {
        var line = ProgressLine(bytesTotal: 2_000_000)
        line.lines = 1_000
        line.bytes = 500_000
        #expect(line.text(elapsed: .seconds(2), width: 200) == "[######------------------]   25 %  1,000 lines  500.0 kB  500 msgs/s  ETA 6.0 s")
        #expect(DisplayText.width(line.text(elapsed: .seconds(2), width: 30)) == 30)
        var open = ProgressLine(bytesTotal: nil)
        open.lines = 10
        open.bytes = 100
        #expect(open.text(elapsed: .seconds(1), width: 80) == "10 lines  100 B  10 msgs/s")
        #expect(ProgressLine(bytesTotal: 0).text(elapsed: .zero, width: 80).hasPrefix("[########################]  100 %"))
    }

    @Test("A message becomes one line in order time, position, topic, parties, type, payload")
    func messageLine() throws {
        let json = try #require(
            JSONSlice(
                Array(
                    """
                    {"position":"0-1763782202123-4","topic":"tasks.1","source_subject_id":"a","destination_subject_ids":["b","c"],
                    "message_type":"statement","message_data":{"text":"hello"},"outcome":"block"}
                    """.utf8)))
        let line = MessageLine(json)
        #expect(line.text(width: 200, ink: Ink(isOn: false)) == "03:30:02.123  0-1763782202123-4  tasks.1  a → b, c  statement  block  {\"text\":\"hello\"}")
        #expect(DisplayText.width(line.text(width: 60, ink: Ink(isOn: false))) <= 60)
        #expect(line.text(width: 20, ink: Ink(isOn: true)) == "\u{1B}[2m03:30:02.123\u{1B}[0m  \u{1B}[2m0-176…\u{1B}[0m")
    }

    @Test("Percentiles are by nearest rank")
    func latencies() {
        var latencies = Latencies()
        for value in (1...100).reversed() { latencies.add(nanoseconds: UInt64(value) * 1000) }
        #expect(latencies.percentiles([0.5, 0.99, 1]) == [50, 99, 100])
        #expect(Latencies().percentiles([0.5]) == [0])
    }
}
