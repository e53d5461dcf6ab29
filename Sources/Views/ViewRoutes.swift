internal import Core
package import Hummingbird
package import Log
internal import Web

/// All reads over HTTP.
package struct ViewRoutes: Sendable {
    /// What the views are made of.
    package struct Dependencies: Sendable {
        let stores: Stores
        let keys: LogKeys
        let catalog: StreamCatalog
        let metrics: Metrics
        let hub: FeedHub
        let pulse: Pulse

        /// - Parameters:
        ///   - hub: is run by the caller.
        ///   - pulse: is run by the caller.
        package init(stores: Stores, keys: LogKeys, catalog: StreamCatalog, metrics: Metrics, hub: FeedHub, pulse: Pulse) {
            self.stores = stores
            self.keys = keys
            self.catalog = catalog
            self.metrics = metrics
            self.hub = hub
            self.pulse = pulse
        }
    }

    private let parts: Dependencies

    package init(_ parts: Dependencies) { self.parts = parts }

    /// Adds the routes. HEAD is served as well when the router was made with `.autoGenerateHeadEndpoints`.
    package func add(to router: Router<some RequestContext>) {
        let positions = Positions(stores: parts.stores, keys: parts.keys)
        MessageRoutes(stores: parts.stores, positions: positions, tracer: Tracer(stores: parts.stores, keys: parts.keys)).add(to: router)
        ReferenceViewRoutes(stores: parts.stores, positions: positions).add(to: router)
        FeedRoute(hub: parts.hub).add(to: router)
        StreamRoutes(
            stores: parts.stores, positions: positions, catalog: parts.catalog, inspector: StreamInspector(keys: parts.keys),
            reader: LogReader(keys: parts.keys)
        ).add(to: router)
        OperateRoutes(pulse: parts.pulse, metrics: parts.metrics, positions: positions).add(to: router)
    }
}
