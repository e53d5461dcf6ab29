import Client
import Testing

@Suite struct DoctorTests {
    private func redis(_ change: (inout RedisFacts) -> Void = { _ in }) -> [Finding] {
        var facts = RedisFacts()
        facts.version = "7.0.15"
        facts.settings = [
            "appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "aof-load-truncated": "no", "maxmemory": "0",
            "maxmemory-policy": "noeviction", "save": "",
        ]
        change(&facts)
        return facts.findings
    }

    private func state(_ findings: [Finding], _ check: String) -> Finding.State? { findings.first { $0.check == check }?.state }

    @Test("A Redis set as the embedded one has nothing to be said against it")
    func redisGood() { #expect(redis().allSatisfy { $0.state == .ok }) }

    @Test(
        "Every weak setting of Redis is told",
        arguments: [
            ("appendonly", "no", "appendonly", Finding.State.fail), ("appendfsync", "everysec", "appendfsync", .warn),
            ("appendfsync", "no", "appendfsync", .warn), ("aof-load-truncated", "yes", "aof-load-truncated", .warn),
            ("no-appendfsync-on-rewrite", "yes", "no-appendfsync-on-rewrite", .warn), ("maxmemory-policy", "volatile-ttl", "maxmemory-policy", .warn),
            ("maxmemory-policy", "allkeys-lru", "maxmemory-policy", .warn), ("maxmemory", "1000", "maxmemory", .warn),
        ])
    func redisWeak(setting: String, value: String, check: String, expected: Finding.State) {
        let findings = redis {
            $0.settings[setting] = value
            $0.usedBytes = 900
        }
        #expect(state(findings, check) == expected)
    }

    @Test("Eviction with a limit loses messages, or ids of messages, so it fails", arguments: [("allkeys-lru", "streams"), ("volatile-lru", "stands twice")])
    func eviction(policy: String, says: String) {
        let findings = redis { $0.settings.merge(["maxmemory-policy": policy, "maxmemory": "1000000"]) { _, new in new } }
        let finding = findings.first { $0.check == "maxmemory-policy" }
        #expect(finding?.state == .fail && finding?.sentence.contains(says) == true)
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

    @Test("A max_payload has room for the largest message as JSON, in which each byte may take six")
    func payload() {
        var nats = NATSFacts()
        for (size, expected) in [(1 << 20, Finding.State.warn), (2 << 20, .warn), (6 << 20, .warn), (8 << 20, .ok)] {
            nats.payloadBytesMax = size
            #expect(state(nats.findings, "max_payload") == expected)
        }
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
        for (change, check) in [
            ({ $0.isStandby = true }, "role"), ({ $0.isReadOnly = true }, "role"), ({ $0.mayCreate = false }, "schema rights"),
            ({ $0.mayProject = false }, "projections rights"),
        ] as [((inout PostgreSQLFacts) -> Void, String)] {
            var other = facts
            change(&other)
            #expect(state(other.findings, check) == .fail)
        }
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
