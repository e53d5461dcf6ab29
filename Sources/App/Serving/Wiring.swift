internal import Control
internal import Core
internal import Foundation
internal import Hummingbird
internal import HummingbirdCore
internal import Ingress
internal import Interventions
internal import Log
internal import Logging
internal import NATSDriver
internal import NIOCore
internal import PostgreSQLDriver
internal import Projections
internal import RedisDriver
internal import Replay
internal import ServiceLifecycle
internal import UnixSignals
internal import Verdicts
internal import Views
internal import Web
internal import Webhooks
internal import WhatIf

/// The only place where the parts of a serving process are put together.
struct Wiring {
    let settings: Settings
    let metrics = Metrics()
    let projections = ProjectionCatalog.standard
    /// The configuration in force in this process.
    let live = LiveConfig()
    /// What the router of this process has decided last.
    let tail = DecidedTail()

    /// Runs a serving process until it is told to stop.
    ///
    /// - Parameter onReady: called once everything that people try first will answer, with the HTTP port. A server that is away keeps nobody waiting.
    func run(signals: [UnixSignal] = [.sigint, .sigterm], onReady: @escaping @Sendable (Int) async -> Void) async throws {
        let log = Logger(label: "meshlog")
        try HTTPPort.require(settings)
        let catalog = try StreamCatalog.load(settings.home + "/streams")
        let identity = try prepareLog(catalog)
        let connect = try prepareArchive(identity, log)
        var services = try services(catalog, identity, connect, onReady: onReady)
        // The last one is told first.
        services.append(
            Part(name: "stop") {
                try? await gracefulShutdown()
                log.notice("stopping")
            })
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup, failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: signals, logger: log)
        configuration.maximumGracefulShutdownDuration = .seconds(Limits.shutdownSecondsMax)
        do { try await ServiceGroup(configuration: configuration).run() } catch { throw HTTPPort.explain(error, settings) }
    }

    // MARK: Before serving

    /// The log must be there and fit; waits a while, since it may be starting too.
    private func prepareLog(_ catalog: StreamCatalog) throws -> LogIdentity {
        var backoff = Backoff()
        let start = ContinuousClock.now
        while true {
            do {
                let session = try RedisSession(settings.redis, name: "meshlog-setup")
                try LogSetup(catalog: catalog, keys: settings.keys, target: settings.backboneName).apply(session)
                return try LogIdentity.made(settings.keys, session)
            } catch {
                guard error.isRetryable, ContinuousClock.now - start < .seconds(15) else { throw error }
                StopSignal().wait(for: backoff.next())
            }
        }
    }

    /// Connects to PostgreSQL, as long as the archive there is this log's. It may be away: then its stages wait for it, and whoever finds it first
    /// brings it up to date. When it is there, it is brought up to date now, or refused.
    private func prepareArchive(
        _ identity: LogIdentity, _ log: Logger
    ) throws -> @Sendable (String) throws(PostgreSQLError) -> PostgreSQLSession {
        let url = settings.postgresqlURL
        let open = { @Sendable (name: String) throws(PostgreSQLError) in try PostgreSQLSession(conninfo: url, applicationName: name) }
        guard settings.roles.contains(.archive) || settings.roles.contains(.projections) else {
            let connect = { @Sendable (name: String) throws(PostgreSQLError) in
                let session = try open(name)
                try identity.check(on: session, claiming: false)
                return session
            }
            // What it takes in would be archived by nobody.
            do throws(PostgreSQLError) { _ = try connect("meshlog-setup") } catch { if !error.isRetryable { throw error } }
            return connect
        }
        let archive = try PreparedArchive(folder: settings.home + "/migrations", identity: identity, open: open)
        do throws(MigrationError) {
            try archive.prepare()
        } catch {
            guard error.isRetryable else { throw error }
            log.warning("the archive is not reachable; messages wait in the log", metadata: ["reason": "\(error)"])
        }
        return { (name: String) throws(PostgreSQLError) in try archive.connect(name) }
    }

    // MARK: Parts

    /// In the order in which they must be up; shutdown goes the other way.
    private func services(
        _ catalog: StreamCatalog, _ identity: LogIdentity, _ connect: @escaping @Sendable (String) throws(PostgreSQLError) -> PostgreSQLSession,
        onReady: @escaping @Sendable (Int) async -> Void
    ) throws -> [any Service] {
        let keys = settings.keys
        let setup = LogSetup(catalog: catalog, keys: keys, identity: identity.id, target: settings.backboneName)
        let loop = Loops(settings: settings, setup: setup)
        let codec = EntryCodec(keys: keys, dedupeWindowMs: settings.dedupeWindowMs)
        let appender = Appender(endpoint: settings.redis, setup: setup, codec: codec, metrics: metrics)
        let doorSubjects = [settings.natsSubject, settings.jetstreamSubject].filter { !$0.isEmpty }
        let notifications = NotificationWriter(appender: appender, metrics: metrics)
        let admission = Admission(ids: IDSource(), doorSubjects: doorSubjects, live: live, metrics: metrics) { failure in
            notifications.append(NotificationEntry(failure))
        }
        var services: [any Service] = []
        func add(_ name: String, _ body: @escaping @Sendable () async throws -> Void) { services.append(Part(name: name, body: body)) }

        let endpoint = settings.redis
        let redisPool = BlockingPool<RedisSession>(name: "redis-reads", width: 4, isUsable: { !$0.isHungUp() }) {
            try RedisSession(endpoint, name: "meshlog-reads")
        }
        let postgresqlPool = BlockingPool<PostgreSQLSession>(name: "archive-reads", width: 4) {
            let session = try connect("meshlog-reads")
            // A query that would take longer is answered with 503 and the advice to narrow it.
            try session.setTimeouts(statement: .seconds(10), lock: .seconds(2))
            return session
        }
        add("redis-reads") { await redisPool.serve() }
        add("archive-reads") { await postgresqlPool.serve() }
        add("append") { await appender.run() }
        let (control, templates) = try controlAtStart(connect)
        let follower = ControlFollower(endpoint: endpoint, keys: keys, live: live, templates: templates, state: control)
        add("control") { await follower.run() }
        let place = ProjectionPlace(keys: keys, endpoint: endpoint, instance: settings.instance, tail: tail, metrics: metrics) {
            (name: String) throws(PostgreSQLError) in
            try connect(name)
        }
        let stages = services.count
        if settings.roles.contains(.projections) {
            for projection in projections.runtimes { add("projection:\(projection.definition.name)") { await projection.materialize(place) } }
            let rebuilder = Rebuilder(projections, place)
            add("rebuild") { await rebuilder.run() }
        }
        if settings.roles.contains(.archive) {
            let messages = Archivers.messages(loop: loop("archive", reads: .verdicts), keys: keys, live: live, tail: tail, metrics: metrics) {
                () throws(PostgreSQLError) in try connect("meshlog-archive")
            }
            let deliveries = Archivers.deliveries(loop: loop("delivery-archive", reads: .deliveries), keys: keys, metrics: metrics) {
                () throws(PostgreSQLError) in
                try connect("meshlog-deliveries")
            }
            let trimmer = Trimmer(loop: loop("trim"), catalog: catalog, keys: keys, live: live, interval: settings.trimInterval, metrics: metrics)
            let maintenance = ArchiveMaintenance(loop: loop("maintain"), retention: settings.archiveRetention) { () throws(PostgreSQLError) in
                try connect("meshlog-maintain")
            }
            add("maintain") { await maintenance.run() }
            add("archive") { await messages.run() }
            add("delivery-archive") { await deliveries.run() }
            add("trim") { await trimmer.run() }
        }
        if settings.roles.contains(.republish) {
            let backboneSettings = BackboneSettings(
                url: settings.nats.url, credentials: settings.nats.credentials, stream: settings.backboneStream, maxAge: settings.backboneMaxAge)
            let backbone = Backbone(backboneSettings)
            let republisher = Republishers.follower(
                loop: loop("republish", reads: .verdicts), keys: keys, tail: tail, metrics: metrics, backbone: backbone, target: settings.backboneName,
                doors: Set(doorSubjects), body: settings.republishBody)
            add("republish") {
                await republisher.run()
                await backbone.close()
            }
            let own = settings.backboneName
            let fleet = Republishers.fleet(
                endpoint: endpoint, keys: keys, metrics: metrics, body: settings.republishBody, settings: backboneSettings,
                loop: { loop($0, reads: .verdicts) },
                registered: {
                    let state = follower.state
                    return (state.backbones.filter { $0.name != own }, state.position)
                })
            add("backbones") { await fleet.run() }
        }
        if settings.roles.contains(.router) {
            let router = Router(
                loop: loop("router", reads: .messages), keys: keys, policy: PolicyFold(control, defaultTarget: settings.backboneName),
                attemptsMax: catalog[.messages].attempts, tail: tail, metrics: metrics)
            add("router") { await router.run() }
            let clock = SessionClock(loop: loop("sessions"), keys: keys, metrics: metrics) { () throws(PostgreSQLError) in try connect("meshlog-sessions") }
            add("sessions") { await clock.run() }
        }
        if settings.roles.contains(.webhooks) {
            let courier = Courier(addresses: AddressGuard(opened: settings.webhookAllow))
            let notifier = Notifier(
                loop: loop("webhooks", reads: .notifications), keys: keys, courier: courier, key: settings.webhookKey, known: { follower.state },
                metrics: metrics)
            add("webhooks") { await notifier.run() }
        }
        Together.join(&services, from: stages, "stages")
        let waiter = VerdictWaiter(endpoint: endpoint, keys: keys, metrics: metrics)
        let verdicts = VerdictDesk(waiter: waiter, disclosesConditions: settings.disclosesConditions) { rule in
            follower.state.row(.constraint, rule).flatMap { ConstraintTerms(document: $0.document) }
        }
        let opening = OpeningDoors(natsDoors)
        let announcement = Announcement()
        announcement.awaits { opening.areOpen }
        add("announcement") { await announcement.run(onReady) }
        let doors = services.count
        addDoors(opening, admission, appender, codec, verdicts, loop, &services)
        let writer = ControlWriter(
            redis: redisPool, keys: keys, follower: follower, machine: ControlMachine(rules: try DocumentForms(catalog).rules))
        let web = try http(
            admission, appender, verdicts, catalog, redisPool, postgresqlPool, follower, writer, place, opening, announcement, &services)
        Together.join(&services, from: doors, "doors")
        services.append(web)
        // Behind the doors, so that it ends before them: who waits for a verdict is answered, and does not keep the doors from closing.
        if settings.roles.contains(.doors) { services.append(Part(name: "verdict-waiter") { await waiter.run() }) }
        return services
    }

    /// The control plane as it stands, in force before the first door opens: no message shall meet defaults that were changed long ago.
    private func controlAtStart(_ connect: (String) throws(PostgreSQLError) -> PostgreSQLSession) throws -> (ControlState, TemplateFold) {
        var state = ControlState.materialized { () throws(PostgreSQLError) in try connect("meshlog-control") } ?? ControlState()
        try ControlReader(keys: settings.keys).fold(into: &state, try RedisSession(settings.redis, name: "meshlog-control", timeout: .seconds(10)))
        var templates = TemplateFold()
        templates.follow(state)
        live.put(.init(table: state.table, templates: templates.set, position: state.position))
        return (state, templates)
    }

    /// Those that listen on a server of their own.
    private var natsDoors: Set<Door> {
        guard settings.roles.contains(.doors) else { return [] }
        return Set([(Door.nats, settings.natsSubject), (.jetstream, settings.jetstreamSubject)].filter { !$0.1.isEmpty }.map(\.0))
    }

    private func addDoors(
        _ opening: OpeningDoors, _ admission: Admission, _ appender: Appender, _ codec: EntryCodec, _ verdicts: VerdictDesk, _ loop: Loops,
        _ services: inout [any Service]
    ) {
        guard settings.roles.contains(.doors) else { return }
        if !settings.list.isEmpty {
            let door = ListDoor(
                loop: loop("list-door"), list: settings.list, order: settings.listOrder, keys: settings.keys, codec: codec, admission: admission)
            services.append(Part(name: "list-door") { await door.run() })
        }
        if !settings.natsSubject.isEmpty {
            let door = NATSDoor(subject: settings.natsSubject, options: settings.nats, admission: admission, appender: appender, verdicts: verdicts)
            services.append(Part(name: "nats-door") { await door.run(opening) })
        }
        if !settings.jetstreamSubject.isEmpty {
            let door = JetStreamDoor(
                subject: settings.jetstreamSubject, stream: settings.jetstreamStream, options: settings.nats, dedupeWindowMs: settings.dedupeWindowMs,
                admission: admission, appender: appender)
            services.append(Part(name: "jetstream-door") { await door.run(opening) })
        }
    }

    private func http(
        _ admission: Admission, _ appender: Appender, _ verdicts: VerdictDesk, _ catalog: StreamCatalog, _ redis: BlockingPool<RedisSession>,
        _ postgresql: BlockingPool<PostgreSQLSession>, _ follower: ControlFollower, _ writer: ControlWriter,
        _ place: ProjectionPlace, _ opening: OpeningDoors, _ announcement: Announcement, _ services: inout [any Service]
    ) throws -> any Service {
        let router = Hummingbird.Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware())
        var sockets: [any WebSocketRoutes] = []
        if settings.wsEcho { sockets.append(EchoRoute()) }
        if settings.roles.contains(.doors) {
            PublishRoutes(admission: admission, appender: appender, verdicts: verdicts).add(to: router)
            sockets.append(PublishSockets(admission: admission, appender: appender, verdicts: verdicts))
        }
        let stores = Stores(redis: redis, postgresql: postgresql)
        let pulse = pulse(stores, place.connect, opening)
        services.append(Part(name: "pulse") { await pulse.run() })
        announcement.awaits { pulse.hasAsked }
        if settings.roles.contains(.projections) {
            let count = projections.runtimes.count
            // Where the archive is away they begin later; whoever asks is told so.
            announcement.awaits {
                if pulse.misses("postgresql") { return true }
                let begun = try? await postgresql.run { try $0.query("SELECT count(DISTINCT name) FROM projection").int64(0, 0) }
                return (begun.flatMap(\.self) ?? 0) >= Int64(count)
            }
        }
        if settings.roles.contains(.views) {
            let hub = FeedHub(endpoint: settings.redis, keys: settings.keys, stores: stores, live: live, tail: tail, metrics: metrics)
            let folds = BlockingPool<ProjectionPlace>(name: "past", width: 2) { place }
            let sessions = SessionDesk(redis: redis, postgresql: postgresql, keys: settings.keys) {
                (message: MessageEntry, uuid: MessageUUID) throws(Refusal) in
                try admission.check(edited: message, uuid: uuid)
            }
            ViewRoutes(
                .init(
                    stores: stores, keys: settings.keys, catalog: catalog, metrics: metrics, hub: hub, pulse: pulse, control: follower, writer: writer,
                    configDefaults: configDefaults(catalog), projections: projections, place: place, folds: folds,
                    policy: try PolicyTools(defaultTarget: settings.backboneName), sessions: sessions, webhookKey: settings.webhookKey)
            ).add(to: router)
            services.append(Part(name: "past") { await folds.serve() })
            sockets.append(FeedSockets(hub: hub))
            services.append(Part(name: "feed") { await hub.run() })
            announcement.awaits { hub.hasBegun }
        } else {
            OperateRoutes(pulse: pulse, metrics: metrics, stores: stores, keys: settings.keys, control: follower).add(to: router)
        }
        router.add(middleware: UnknownRouteMiddleware(after: router))
        let reads = settings.roles.contains(.views) ? DocumentLane(follower: follower) : nil
        let posts: any PostLane = settings.roles.contains(.doors) ? PublishLane(admission: admission, appender: appender) : NoPosts()
        let routes = CombinedSockets(sockets)
        return Application(
            router: router,
            server: HTTPServerBuilder { MeshlogChannel(responder: $0, posts: posts, reads: reads, webSockets: routes) },
            configuration: .init(
                address: .hostname(settings.host, port: settings.port), serverName: "meshlog", backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(Limits.connectionsMax, logger: Logger(label: "meshlog.http"))),
            onServerRunning: { channel in announcement.listens(on: channel.localAddress?.port ?? 0) },
            logger: Logger(label: "meshlog.http"))
    }

    /// What holds where the configuration says nothing.
    private func configDefaults(_ catalog: StreamCatalog) -> [KnownSetting: [UInt8]] {
        func number(_ value: some BinaryInteger) -> [UInt8] { Array(String(value).utf8) }
        let retention = catalog[.messages].retention
        return [
            .messageBytesMax: number(Limits.messageBytesMax), .dedupeWindow: number(settings.dedupeWindowMs), .retentionAge: number(retention.ageMs),
            .retentionEntries: number(retention.entries), .archiveBatch: number(Limits.archiveBatchMax), .archiveInterval: number(0),
            .feedHistory: number(Limits.feedRingEntriesMax),
        ]
    }

    /// What `/readyz` and `/metrics` watch.
    private func pulse(
        _ stores: Stores, _ connect: @escaping @Sendable (String) throws(PostgreSQLError) -> PostgreSQLSession, _ opening: OpeningDoors
    ) -> Pulse {
        var servers = [Probe.redis(settings.redis), Probe.postgresql(connect)]
        if settings.roles.contains(.republish) || !settings.natsSubject.isEmpty || !settings.jetstreamSubject.isEmpty {
            let url = settings.nats.url
            servers.append(
                // What is published to a door that does not listen yet is lost.
                Probe(name: "nats", isUsed: { opening.areOpen }) {
                    try await withCheckedThrowingContinuation { continuation in
                        WorkerThread.start("nats-probe") { continuation.resume(with: Result { _ = try NATSServerInfo.readFirst(of: url) }) }
                    }
                })
        }
        return Pulse(
            servers: servers,
            gauges: [
                LogGauges.groups(stores, keys: settings.keys, metrics: metrics), LogGauges.archive(stores, metrics: metrics),
                LogGauges.sessions(stores, keys: settings.keys, metrics: metrics),
            ])
    }
}

/// The echo of `--ws-echo`, for conformance suites; it is the same WebSocket code as the doors'.
private struct EchoRoute: WebSocketRoutes {
    func accept(_ request: WebSocketRequest) -> WebSocketAccept? { EchoApplication.accept(request) }
}

/// A process without doors serves no posts in the fast lane.
private struct NoPosts: PostLane {
    let paths: [String] = []
    func takes(_ request: PostRequest) -> Bool { false }
    func post(_ request: PostRequest, answer: PostAnswer) { preconditionFailure("no path leads here") }
}

extension ControlState {
    /// The backbones of the registry, as something to send to.
    fileprivate var backbones: [RegisteredBackbone] {
        rows(.backbone).compactMap { id, row in
            guard let backbone = PolicyContext.Backbone(id: id, document: row.document) else { return nil }
            return RegisteredBackbone(id: id, name: backbone.name, url: backbone.document.root["public_url"]?.string ?? "", since: row.created)
        }
    }
}
