internal import Core
internal import Logging
package import Log
package import RedisDriver
internal import ServiceLifecycle

/// Republishes to every backbone of the registry: a follower for each, with a group and a pace of its own, so that one that is away delays
/// itself alone. Followers come and go with the registry's entries.
///
/// - Bounds: `Limits.backbonesMax` followers; each costs three threads.
package struct BackboneFleet: Sendable {
    private let endpoint: RedisEndpoint
    private let keys: LogKeys
    private let registered: @Sendable () -> [RegisteredBackbone]
    private let follower: @Sendable (RegisteredBackbone) -> (stage: HeadFollower<RepublishStage>, backbone: Backbone?)
    private let log = Logger(label: "meshlog.republish")

    /// - Parameters:
    ///   - registered: the registry as it is now, without the backbone of the settings.
    ///   - follower: makes what sends to one.
    package init(
        endpoint: RedisEndpoint, keys: LogKeys, registered: @escaping @Sendable () -> [RegisteredBackbone],
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
                while !Task.isCancelled {
                    let wanted = chosen
                    for (backbone, whileWanted) in running where !wanted.contains(backbone) {
                        whileWanted.finish()
                        running[backbone] = nil
                    }
                    if reconciled != wanted, await reconcile(wanted) {
                        reconciled = wanted
                        for backbone in wanted where running[backbone] == nil {
                            let (isWanted, continuation) = AsyncStream<Void>.makeStream()
                            running[backbone] = continuation
                            group.addTask { await serve(backbone, while: isWanted) }
                        }
                    }
                    try? await Task.sleep(for: .milliseconds(200))
                }
            }
        }
    }

    /// One for each name, as the policy chooses: the first id.
    private var chosen: Set<RegisteredBackbone> {
        var out: [String: RegisteredBackbone] = [:]
        for backbone in registered().sorted(by: { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }) where out[backbone.name] == nil {
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

    /// Whether the groups are as they should be; else it is tried again.
    private func reconcile(_ wanted: Set<RegisteredBackbone>) async -> Bool {
        await withCheckedContinuation { done in
            WorkerThread.start("backbones") {
                do throws(RedisError) {
                    try makeGroups(wanted)
                    done.resume(returning: true)
                } catch {
                    log.warning("the groups of backbones cannot be made", metadata: ["reason": "\(error)"])
                    done.resume(returning: false)
                }
            }
        }
    }

    /// Makes the groups that are missing, and removes those of backbones that are gone: a group holds back trimming.
    private func makeGroups(_ wanted: Set<RegisteredBackbone>) throws(RedisError) {
        let session = try RedisSession(endpoint, name: "meshlog-backbones")
        let stream = keys.stream(.verdicts)
        for backbone in wanted {
            let reply = try session.call("XGROUP", ["CREATE", stream, GroupName.republish(backbone.id).rawValue, backbone.since.streamID, "MKSTREAM"])
            if case .error(let text) = reply, !text.hasPrefix("BUSYGROUP") { throw .server(text) }
        }
        let names = Set(wanted.map { GroupName.republish($0.id).rawValue })
        for info in try session.run("XINFO", ["GROUPS", stream]).array ?? [] {
            guard let name = info.pairs["name"]?.text, name.hasPrefix(GroupName.republishPrefix), !names.contains(name) else { continue }
            try session.run("XGROUP", ["DESTROY", stream, name])
            log.info("a backbone is gone, and what it had not got with it", metadata: ["group": "\(name)"])
        }
    }
}
