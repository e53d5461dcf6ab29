import Client
import Testing

@Suite struct DoctorTests {
    private func redis(_ change: (inout RedisFacts) -> Void = { _ in }) -> [Finding] {
        var facts = RedisFacts()
        facts.version = "7.0.15"
        facts.settings = ["appendonly": "yes", "appendfsync": "always", "aof-load-truncated": "no", "maxmemory": "0", "maxmemory-policy": "noeviction", "save": ""]
        change(&facts)
        return facts.findings
    }

    private func state(_ findings: [Finding], _ check: String) -> Finding.State? { findings.first { $0.check == check }?.state }

    @Test("A Redis set as the embedded one has nothing to be said against it")
    func redisGood() { #expect(redis().allSatisfy { $0.state == .ok }) }

    @Test("Every weak setting of Redis is told", arguments: [
        ("appendonly", "no", "appendonly", Finding.State.fail), ("appendfsync", "everysec", "appendfsync", .warn), ("appendfsync", "no", "appendfsync", .warn), ("aof-load-truncated", "yes", "aof-load-truncated", .warn),
        ("maxmemory-policy", "allkeys-lru", "maxmemory-policy", .warn), ("maxmemory", "1000", "maxmemory", .warn),
    ])
    func redisWeak(setting: String, value: String, check: String, expected: Finding.State) {
        let findings = redis {
            $0.settings[setting] = value
            $0.usedBytes = 900
        }
        #expect(state(findings, check) == expected)
    }

    @Test("Eviction with a limit loses messages, so it fails")
    func eviction() {
        let findings = redis { $0.settings.merge(["maxmemory-policy": "allkeys-lru", "maxmemory": "1000000"]) { _, new in new } }
        #expect(state(findings, "maxmemory-policy") == .fail)
    }

    @Test("Old servers fail, unknown versions warn")
    func versions() {
        #expect(state(redis { $0.version = "6.2.14" }, "version") == .fail)
        #expect(state(redis { $0.version = "" }, "version") == .warn)
        var nats = NATSFacts()
        nats.payloadBytesMax = 8 << 20
        nats.hasJetStream = true
        for (version, expected) in [("2.9.10", Finding.State.ok), ("v2.12.0-beta", .ok), ("2.8.4", .fail), ("x", .warn)] {
            nats.version = version
            #expect(state(nats.findings, "version") == expected)
        }
    }

    @Test("A server that hides its settings is not called good")
    func hidden() { #expect(state(redis { $0.settings = [:] }, "settings") == .warn) }

    @Test("NATS's usual max_payload of 1 MiB has no room for headers")
    func payload() {
        var nats = NATSFacts()
        nats.payloadBytesMax = 1 << 20
        #expect(state(nats.findings, "max_payload") == .warn)
        #expect(state(nats.findings, "jetstream") == .fail)
    }

    @Test("PostgreSQL's weak settings are told")
    func postgresql() {
        var facts = PostgreSQLFacts()
        facts.version = 150_020
        facts.settings = ["fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "server_encoding": "UTF8"]
        #expect(facts.findings.allSatisfy { $0.state == .ok })
        facts.settings = ["fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "server_encoding": "SQL_ASCII"]
        #expect(facts.findings.map(\.state).filter { $0 == .fail }.count == 3)
        #expect(state(facts.findings, "synchronous_commit") == .warn)
        facts.timescaleCreated = "2.17.2"
        #expect(state(facts.findings, "timescaledb") == .fail)
        facts.timescaleCreated = ""
        facts.timescaleAvailable = true
        #expect(state(facts.findings, "timescaledb") == .warn)
        facts.version = 130_000
        #expect(state(facts.findings, "version") == .fail)
    }

    @Test("A skew within the exactness of the measure is none")
    func clocks() {
        #expect(ClockFacts(server: "s", before: 0, there: 900_000, after: 1_000_000).finding.state == .ok)
        #expect(ClockFacts(server: "s", before: 0, there: 2_000_000, after: 1_000).finding.state == .warn)
        #expect(ClockFacts(server: "s", before: 0, there: -90_000_000, after: 1_000).finding.state == .fail)
    }

    @Test("The JSON says the worst state")
    func json() {
        let bytes = Finding.json([Finding("a", "b", .ok, "c"), Finding("a", "b", .warn, "d")])
        #expect(JSONSlice(bytes)?["state"]?.string == "warn")
        #expect(JSONSlice(bytes)?["checks"]?.elements.count == 2)
    }
}
