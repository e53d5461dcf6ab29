/// What a Redis server says of itself, and what that means for the log.
package struct RedisFacts: Sendable {
    package var version = ""
    /// `CONFIG GET`; empty when the server does not show its settings (managed services).
    package var settings: [String: String] = [:]
    package var usedBytes = 0
    /// `INFO persistence`: whether the last write of the append-only file went well.
    package var lastWriteOK = true
    package var isCluster = false
    package var role = "master"

    package init() {}

    package var findings: [Finding] {
        [versionFinding] + placeFindings + (settings.isEmpty ? [hidden] : durability + memory)
    }

    private func finding(_ check: String, _ state: Finding.State, _ sentence: String) -> Finding { Finding("Redis", check, state, sentence) }

    private var versionFinding: Finding {
        switch VersionNumber(version) {
        case let number? where number >= VersionNumber(7, 0): finding("version", .ok, "\(version)")
        case nil: finding("version", .warn, "the server does not say its version; 7.0 or newer is needed")
        default: finding("version", .fail, "\(version): functions and the lag of groups need 7.0 or newer")
        }
    }

    private var placeFindings: [Finding] {
        var out: [Finding] = []
        if role != "master" { out.append(finding("role", .fail, "this server is a \(role): it takes no writes; give the primary's address")) }
        if isCluster { out.append(finding("cluster", .warn, "cluster mode is on; the streams of one log lie on one node, by their hash tag")) }
        return out
    }

    private var hidden: Finding {
        finding("settings", .warn, "the server does not show its settings (CONFIG is not allowed), so its durability is not known here: ask who runs it")
    }

    private var durability: [Finding] {
        var out: [Finding] = []
        if settings["appendonly"] == "yes" {
            out.append(finding("appendonly", .ok, "yes: entries are written to the append-only file"))
            switch settings["appendfsync"] {
            case "always": out.append(finding("appendfsync", .ok, "always: an acknowledged message survives a power cut"))
            case "everysec":
                out.append(
                    finding(
                        "appendfsync", .warn,
                        "everysec: a power cut can lose up to a second or two of acknowledged messages; a killed process loses none. `always` costs disk writes, which group commit shares"
                    ))
            default:
                out.append(
                    finding("appendfsync", .warn, "no: a power cut can lose what the kernel has not written yet, typically 30 s of acknowledged messages"))
            }
            if settings["no-appendfsync-on-rewrite"] == "yes", settings["appendfsync"] != "no" {
                out.append(
                    finding(
                        "no-appendfsync-on-rewrite", .warn,
                        "yes: while Redis writes its file anew it does not sync, so a power cut then loses what was acknowledged meanwhile, often many seconds of it. Set `no`"
                    ))
            }
            if settings["aof-load-truncated"] == "yes" {
                out.append(
                    finding(
                        "aof-load-truncated", .warn,
                        "yes: after a kill in the middle of a write, a start of Redis 7.0 keeps half of a function's changes, and the start after that carries them out: a message may stand twice. Set `no`, and run `redis-check-aof --fix` when Redis then refuses to start"
                    ))
            }
            if !lastWriteOK {
                out.append(finding("append-only file", .fail, "the last write failed (disk full?): nothing new is durable until that is mended"))
            }
        } else {
            let saves = settings["save"] ?? ""
            out.append(
                finding(
                    "appendonly", .fail,
                    saves.isEmpty
                        ? "no, and no snapshots either: a restart of Redis loses the whole log. Set `appendonly yes` and `appendfsync always`"
                        : "no: a restart or crash of Redis loses every acknowledged message since the last snapshot (save \(saves)). Set `appendonly yes` and `appendfsync always`"
                ))
        }
        return out
    }

    private var memory: [Finding] {
        var out: [Finding] = []
        let most = settings["maxmemory"].flatMap { Int($0) } ?? 0
        let policy = settings["maxmemory-policy"] ?? ""
        if policy == "noeviction" {
            out.append(finding("maxmemory-policy", .ok, "noeviction: when memory is full, messages are refused, none is forgotten"))
        } else if policy.hasPrefix("volatile-") {
            let cost =
                "when memory is full Redis throws away what has an end, and those are the ids of messages: a repeat of one then stands twice in the log"
            out.append(
                most == 0
                    ? finding(
                        "maxmemory-policy", .warn,
                        "\(policy): harmless only as long as maxmemory is 0; with a limit, \(cost). Set `noeviction`")
                    : finding("maxmemory-policy", .fail, "\(policy): \(cost). Set `noeviction`"))
        } else if most == 0 {
            out.append(
                finding(
                    "maxmemory-policy", .warn,
                    "\(policy): harmless only as long as maxmemory is 0; with a limit Redis would throw whole streams away. Set `noeviction`"))
        } else {
            out.append(finding("maxmemory-policy", .fail, "\(policy): when memory is full Redis throws whole streams and ids away, silently. Set `noeviction`"))
        }
        if most == 0 {
            out.append(
                finding(
                    "maxmemory", .ok,
                    "no limit, \(Amounts.bytes(usedBytes)) used; the machine's memory is the limit, and retention in streams/ what keeps below it"))
        } else if usedBytes > most / 10 * 8 {
            out.append(
                finding(
                    "maxmemory", .warn,
                    "\(Amounts.bytes(usedBytes)) of \(Amounts.bytes(most)) used: at the limit publishing is refused. Shorten retention or raise it"))
        } else {
            out.append(finding("maxmemory", .ok, "\(Amounts.bytes(usedBytes)) of \(Amounts.bytes(most)) used"))
        }
        return out
    }
}
