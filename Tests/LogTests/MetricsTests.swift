internal import Log
internal import Testing

@Suite("Metrics")
struct MetricsTests {
    @Test("Each family has its help and type once, and its series in order of their making")
    func families() {
        let metrics = Metrics()
        metrics.counter("b_total", help: "Things that happened", ["kind": "one"]).add(3)
        metrics.counter("b_total", help: "Things that happened", ["kind": "two"]).add()
        metrics.gauge("a", help: "A level").set(-7)
        #expect(
            metrics.render() == #"""
                # HELP a A level
                # TYPE a gauge
                a -7
                # HELP b_total Things that happened
                # TYPE b_total counter
                b_total{kind="one"} 3
                b_total{kind="two"} 1

                """#)
    }

    @Test("A label's value may hold anything: backslash, quotation mark and line break are escaped")
    func labels() {
        let metrics = Metrics()
        metrics.gauge("g", help: "h", ["group": "republish.a\"b\\c\r\nd\"\u{301}", "stream": "verdicts"]).set(1)
        #expect(
            metrics.render() == "# HELP g h\n# TYPE g gauge\ng{group=\"republish.a\\\"b\\\\c\r\\nd\\\"\u{301}\",stream=\"verdicts\"} 1\n")
    }

    @Test("Buckets are cumulative and end with +Inf, which counts what is beyond the last bound")
    func histogram() {
        let metrics = Metrics()
        let sizes = metrics.sizes("s", help: "h", ["stage": "x"])
        for value in [1, 2, 2, 3, 1 << 13, 1 << 20] { sizes.record(value) }
        let lines = metrics.render().split(separator: "\n")
        #expect(lines[1] == "# TYPE s histogram")
        #expect(
            lines[2...5] == [
                #"s_bucket{stage="x",le="1.0"} 1"#, #"s_bucket{stage="x",le="2.0"} 3"#, #"s_bucket{stage="x",le="4.0"} 4"#,
                #"s_bucket{stage="x",le="8.0"} 4"#,
            ])
        #expect(
            lines.suffix(4) == [
                #"s_bucket{stage="x",le="8192.0"} 5"#, #"s_bucket{stage="x",le="+Inf"} 6"#, #"s_sum{stage="x"} 1056776.0"#,
                #"s_count{stage="x"} 6"#,
            ])
        let latency = metrics.latency("t_seconds", help: "h")
        latency.record(64)
        #expect(metrics.render().contains("t_seconds_bucket{le=\"6.4e-05\"} 1\n"))
        #expect(metrics.render().contains("t_seconds_sum 6.4e-05\nt_seconds_count 1\n"))
    }

    @Test("What is set as a whole has no series of what is gone")
    func whole() {
        let metrics = Metrics()
        metrics.gauges("lag", help: "h", [(["group": "a"], 1), (["group": "b"], 2)])
        metrics.gauges("lag", help: "h", [(["group": "b"], 3)])
        #expect(metrics.render() == "# HELP lag h\n# TYPE lag gauge\nlag{group=\"b\"} 3\n")
    }
}
