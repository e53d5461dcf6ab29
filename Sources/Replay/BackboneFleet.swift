package import Core
package import Log
internal import Logging
package import RedisDriver
internal import ServiceLifecycle

/// Republishes to every backbone of the registry: a follower for each, with a group and a pace of its own, so that one that is away delays
/// itself alone. Followers come and go with the registry's entries.
///
/// - Bounds: `Limits.backbonesMax` followers; each costs three threads.
package struct BackboneFleet: Sendable {
    /// What is registered, by `control` up to and with a position.
    package typealias Registry = (backbones: [RegisteredBackbone], position: Position)

    private let endpoint: RedisEndpoint
    private let keys: LogKeys
    private let registered: @Sendable () -> Registry
    private let follower: @Sendable (RegisteredBackbone) -> (stage: HeadFollower<RepublishStage>, backbone: Backbone?)
    private let log = Logger(label: "meshlog.republish")

    /// - Parameters:
    ///   - registered: the registry as it is now, without the backbone of the settings.
    ///   - follower: makes what sends to one.
    package init(
        endpoint: RedisEndpoint, keys: LogKeys, registered: @escaping @Sendable () -> Registry,
        follower: @escaping @Sendable (RegisteredBackbone) -> (stage: HeadFollower<RepublishStage>, backbone: Backbone?)
    ) {
        self.endpoint = endpoint
        self.keys = keys
        self.registered = registered
        self.follower = follower
    }

    /// Runs until shutdown.
    package func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                var running: [RegisteredBackbone: AsyncStream<Void>.Continuation] = [:]
                var reconciled: Set<RegisteredBackbone>?
                var looked = ContinuousClock.now
                while !Task.isCancelled {
                    let registry = registered()
                    let wanted = BackboneFleet.chosen(registry.backbones)
                    for (backbone, whileWanted) in running where !wanted.contains(backbone) {
                        whileWanted.finish()
                        running[backbone] = nil
                    }
                    // From time to time in any case: a group that Redis has lost, or somebody removed, would stay away.
                    let isDue = reconciled != wanted || ContinuousClock.now - looked > Limits.backboneGroupsInterval
                    if isDue { looked = .now }
                    if isDue, await onThread({ session throws(RedisError) in try makeGroups(wanted, session) }) {
                        for backbone in wanted where running[backbone] == nil {
                            let (isWanted, continuation) = AsyncStream<Void>.makeStream()
                            running[backbone] = continuation
                            group.addTask { await serve(backbone, while: isWanted) }
                        }
                        if await onThread({ session throws(RedisError) in try removeGroups(except: wanted, asOf: registry.position, session) }) {
                            reconciled = wanted
                        }
                    }
                    try? await Task.sleep(for: .milliseconds(200))
                }
            }
        }
    }

    /// One for each name, as the policy chooses: the first id.
    private static func chosen(_ registered: [RegisteredBackbone]) -> Set<RegisteredBackbone> {
        var out: [String: RegisteredBackbone] = [:]
        for backbone in registered.sorted(by: { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }) where out[backbone.name] == nil {
            out[backbone.name] = backbone
        }
        return Set(out.values.sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }.prefix(Limits.backbonesMax))
    }

    private func serve(_ backbone: RegisteredBackbone, while isWanted: AsyncStream<Void>) async {
        let (stage, connection) = follower(backbone)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await stage.run() }
            group.addTask { for await _ in isWanted {} }
            await group.next()
            group.cancelAll()
        }
        await connection?.close()
    }

    /// Whether the work is done; else it is tried again.
    private func onThread(_ work: @escaping @Sendable (RedisSession) throws(RedisError) -> Bool) async -> Bool {
        await withCheckedContinuation { done in
            WorkerThread.start("backbones") {
                do throws(RedisError) {
                    done.resume(returning: try work(RedisSession(endpoint, name: "meshlog-backbones")))
                } catch {
                    log.warning("the groups of backbones cannot be made", metadata: ["reason": "\(error)"])
                    done.resume(returning: false)
                }
            }
        }
    }

    /// A group that is missing may have been lost: it begins behind what that backbone has got already.
    private func makeGroups(_ wanted: Set<RegisteredBackbone>, _ session: RedisSession) throws(RedisError) -> Bool {
        let stream = keys.stream(.verdicts)
        // Looked at first, since where a group begins takes a search. Without a stream there is no group.
        let present = (try session.call("XINFO", ["GROUPS", stream]).array ?? []).compactMap { $0.pairs["name"]?.text }
        for backbone in wanted {
            let name = GroupName.republish(backbone.id).rawValue
            if present.contains(name) { continue }
            let begin = max(backbone.since, try LogSetup.lastSent(to: backbone.name, keys: keys, session) ?? .zero)
            let reply = try session.call("XGROUP", ["CREATE", stream, name, begin.streamID, "MKSTREAM"])
            if case .error(let text) = reply, !text.hasPrefix("BUSYGROUP") { throw .server(text) }
        }
        return true
    }

    /// Removes the groups of backbones that are gone: a group holds back trimming.
    ///
    /// Only what the whole of `control` says is gone is removed: a process that lags would remove the group of a backbone that another one has
    /// just met, and with it what that backbone has already got.
    ///
    /// - Returns: false when `control` has grown behind `position`.
    private func removeGroups(except wanted: Set<RegisteredBackbone>, asOf position: Position, _ session: RedisSession) throws(RedisError) -> Bool {
        let stream = keys.stream(.verdicts)
        let names = Set(wanted.map { GroupName.republish($0.id).rawValue })
        let gone = (try session.run("XINFO", ["GROUPS", stream]).array ?? []).compactMap { $0.pairs["name"]?.text }.filter {
            $0.hasPrefix(GroupName.republishPrefix) && !names.contains($0)
        }
        if gone.isEmpty { return true }
        try session.run("WATCH", [keys.stream(.control)])
        guard try LogReader(keys: keys).bounds(.control, session).last <= position else { return false }
        try session.run("MULTI")
        for name in gone { try session.run("XGROUP", ["DESTROY", stream, name]) }
        if try session.run("EXEC") == .null { return false }
        log.info("backbones are gone, and what they had not got with them", metadata: ["groups": "\(gone.joined(separator: " "))"])
        return true
    }
}
