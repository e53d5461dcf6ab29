package import Control
package import Core
package import Hummingbird
package import Interventions
package import Log
package import Projections
internal import Web
package import WhatIf

/// All reads over HTTP, and all changes of the control plane.
package struct ViewRoutes: Sendable {
    /// What the views are made of.
    package struct Dependencies: Sendable {
        let stores: Stores
        let keys: LogKeys
        let catalog: StreamCatalog
        let metrics: Metrics
        let hub: FeedHub
        let pulse: Pulse
        let control: ControlFollower
        let writer: ControlWriter
        let configDefaults: [KnownSetting: [UInt8]]
        let projections: ProjectionCatalog
        let place: ProjectionPlace
        let folds: BlockingPool<ProjectionPlace>
        let policy: PolicyTools
        let sessions: SessionDesk
        let webhookKey: WebhookKey?

        /// - Parameters:
        ///   - hub: is run by the caller.
        ///   - pulse: is run by the caller.
        ///   - control: is run by the caller.
        ///   - configDefaults: what holds where nothing is set, as JSON text; settings without one have none.
        ///   - folds: threads for questions about the past; is run by the caller.
        ///   - policy: what questions about other policies are answered with.
        ///   - webhookKey: from which the secrets of webhooks are derived; nil when none is set.
        package init(
            stores: Stores, keys: LogKeys, catalog: StreamCatalog, metrics: Metrics, hub: FeedHub, pulse: Pulse, control: ControlFollower,
            writer: ControlWriter, configDefaults: [KnownSetting: [UInt8]], projections: ProjectionCatalog, place: ProjectionPlace,
            folds: BlockingPool<ProjectionPlace>, policy: PolicyTools, sessions: SessionDesk, webhookKey: WebhookKey?
        ) {
            self.stores = stores
            self.keys = keys
            self.catalog = catalog
            self.metrics = metrics
            self.hub = hub
            self.pulse = pulse
            self.control = control
            self.writer = writer
            self.configDefaults = configDefaults
            self.projections = projections
            self.place = place
            self.folds = folds
            self.policy = policy
            self.sessions = sessions
            self.webhookKey = webhookKey
        }
    }

    private let parts: Dependencies

    package init(_ parts: Dependencies) { self.parts = parts }

    /// Adds the routes. HEAD is served as well when the router was made with `.autoGenerateHeadEndpoints`.
    package func add(to router: Router<some RequestContext>) {
        let positions = Positions(stores: parts.stores, keys: parts.keys, control: parts.control)
        let tracer = Tracer(stores: parts.stores, keys: parts.keys)
        ReferenceViewRoutes(stores: parts.stores, positions: positions, tracer: tracer).add(to: router)
        FeedRoute(hub: parts.hub).add(to: router)
        StreamRoutes(
            stores: parts.stores, positions: positions, catalog: parts.catalog, inspector: StreamInspector(keys: parts.keys),
            reader: LogReader(keys: parts.keys)
        ).add(to: router)
        let desk = ControlDesk(stores: parts.stores, keys: parts.keys, positions: positions, follower: parts.control, writer: parts.writer)
        ControlRoutes(desk: desk).add(to: router)
        ConfigRoutes(desk: desk, defaults: parts.configDefaults).add(to: router)
        WebhookRoutes(desk: desk, stores: parts.stores, keys: parts.keys, key: parts.webhookKey).add(to: router)
        RestoreRoute(desk: desk).add(to: router)
        let projections = ProjectionDesk(
            stores: parts.stores, positions: positions, reader: ProjectionReader(parts.projections, keys: parts.keys), folds: parts.folds,
            endpoint: parts.place.endpoint)
        MessageRoutes(stores: parts.stores, positions: positions, tracer: tracer, projections: projections).add(to: router)
        ProjectionRoutes(desk: projections, control: desk).add(to: router)
        ProjectionWorkRoutes(desk: projections).add(to: router)
        HistoryRoutes(folds: parts.folds, tools: parts.policy).add(to: router)
        SessionRoutes(desk: parts.sessions, projections: projections).add(to: router)
        ReferenceRegistryRoutes(desk: desk).add(to: router)
        ReferenceTopicRoutes(desk: desk).add(to: router)
        ReferenceConfigRoutes(desk: desk).add(to: router)
        OperateRoutes(pulse: parts.pulse, metrics: parts.metrics, positions: positions).add(to: router)
    }
}
