internal import Client
internal import Core
internal import Foundation
internal import Log
internal import RedisDriver

/// Looks at the log's server.
struct RedisExamination {
    private let settings: Settings

    init(_ settings: Settings) { self.settings = settings }

    func findings() -> [Finding] {
        let session: RedisSession
        do {
            session = try RedisSession(settings.redis, name: "meshlog-doctor", timeout: .seconds(5))
        } catch {
            return [Finding("Redis", "reachable", .fail, "\(error): no message can be taken in. Start it, or set --redis-url")]
        }
        do {
            return [Finding("Redis", "reachable", .ok, settings.redis.description)] + (try facts(session)).findings + (try declared(session))
                + [try clock(session).finding]
        } catch {
            return [Finding("Redis", "questions", .fail, "\(error)")]
        }
    }

    private func facts(_ session: RedisSession) throws(RedisError) -> RedisFacts {
        var facts = RedisFacts()
        var info: [String: String] = [:]
        for line in (try session.run("INFO").text ?? "").split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { info[String(parts[0])] = String(parts[1]) }
        }
        facts.version = info["redis_version"] ?? ""
        facts.usedBytes = info["used_memory"].flatMap { Int($0) } ?? 0
        facts.lastWriteOK = info["aof_last_write_status"] ?? "ok" == "ok"
        facts.isCluster = info["cluster_enabled"] == "1"
        facts.role = info["role"] ?? "master"
        // One name a call: several need 7.0, and an older server should be told what else is wrong with it.
        for name in [
            "appendonly", "appendfsync", "no-appendfsync-on-rewrite", "aof-load-truncated", "maxmemory", "maxmemory-policy", "save",
        ] {
            guard let value = try session.call("CONFIG", ["GET", name]).pairs[name]?.text else { continue }
            facts.settings[name] = value
        }
        return facts
    }

    /// Functions, streams and groups against the declarations, and how far the groups are.
    private func declared(_ session: RedisSession) throws -> [Finding] {
        let catalog = try StreamCatalog.load(settings.home + "/streams")
        let isEmpty = try session.run("EXISTS", [settings.keys.stream(.messages)]) == .integer(0)
        if isEmpty {
            return [Finding("Redis", "streams", .warn, "no log with the prefix '\(settings.keys.prefix)' yet: the first start creates it")]
        }
        let faults = try LogSetup(catalog: catalog, keys: settings.keys).check(session)
        var out = faults.map {
            Finding("Redis", "streams", .warn, "\($0). The next start, or `meshlog streams apply`, creates what is missing, and removes nothing")
        }
        if faults.isEmpty { out.append(Finding("Redis", "streams", .ok, "streams, groups and functions are as declared")) }
        let last = try LogReader(keys: settings.keys).bounds(.messages, session).last
        let ahead = last.microseconds - (try time(session))
        if ahead > 1_000_000 {
            out.append(
                Finding(
                    "Redis", "ids of messages", .warn,
                    "\(Amounts.count(Int(ahead / 1_000_000))) s ahead of Redis's clock: it ran ahead once, or the log goes on behind another one's ids. Until the clock"
                        + " has caught up, time stands still for limits that count by it, and times in positions are off by as much"))
        }
        let inspector = StreamInspector(keys: settings.keys)
        for stream in StreamName.allCases {
            for group in try inspector.status(stream, session).groups where group.lag == nil || group.lag ?? 0 > 1_000 || group.pending > 10_000 {
                let lag = group.lag.map { Amounts.count($0) } ?? "more than 1,000"
                out.append(
                    Finding(
                        "Redis", "group \(group.name)", .warn,
                        "\(lag) entries of \(stream.rawValue) behind, \(Amounts.count(group.pending)) pending: its stage is slow, stopped or its server is away; the log is not trimmed past it"
                    ))
            }
        }
        return out
    }

    private func clock(_ session: RedisSession) throws(RedisError) -> ClockFacts {
        let before = HostClock.microseconds
        let there = try time(session)
        return ClockFacts(server: "Redis", before: before, there: there, after: HostClock.microseconds)
    }

    /// Of Redis's clock, µs since the epoch.
    private func time(_ session: RedisSession) throws(RedisError) -> Int64 {
        let time = try session.run("TIME").array ?? []
        guard time.count == 2, let seconds = time[0].int, let microseconds = time[1].int else { throw .unexpectedReply("TIME") }
        return Int64(seconds) * 1_000_000 + Int64(microseconds)
    }
}

/// This host's clock.
enum HostClock {
    static var microseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }
}
