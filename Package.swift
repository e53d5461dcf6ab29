// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

func nio(_ product: String) -> Target.Dependency { .product(name: product, package: "swift-nio") }

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")

/// One module of the product. Arrows point one way:
/// Core, Drivers <- Log <- {Ingress, Replay} <- {Projections, Interventions} <- Control <- {Verdicts, Webhooks, Views} <- App.
///
/// - Parameter testable: opens internals to the module's tests, also in a release build (the one configuration here).
func module(
    _ name: String, path: String? = nil, _ dependencies: [Target.Dependency], resources: [Resource]? = nil, testable: Bool = false
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", resources: resources,
        swiftSettings: strict + (testable ? [.unsafeFlags(["-enable-testing"])] : []))
}

/// The tests of one module, run on real servers where the module talks to one.
func tests(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(path ?? name)", swiftSettings: strict)
}

let package = Package(
    name: "meshlog",
    products: [.executable(name: "meshlog", targets: ["App"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CHiredis", path: "Sources/Clib/CHiredis"),
        .systemLibrary(name: "CLibpq", path: "Sources/Clib/CLibpq"),
        .systemLibrary(name: "CNats", path: "Sources/Clib/CNats"),
        .target(name: "CRe2", path: "Sources/Clib/CRe2", linkerSettings: [.linkedLibrary("re2")]),

        module("Core", []),
        module("RedisDriver", path: "Sources/Drivers/Redis", ["CHiredis"]),
        module("PostgreSQLDriver", path: "Sources/Drivers/PostgreSQL", ["CLibpq"]),
        module("NATSDriver", path: "Sources/Drivers/NATS", ["CNats"]),
        module("RE2Driver", path: "Sources/Drivers/RE2", ["Core", "CRe2"]),
        module("ZoneDriver", path: "Sources/Drivers/Zones", ["Core"]),
        module("Log", ["Core", "RedisDriver", crypto, lifecycle, logging, "Yams", nio("NIOConcurrencyHelpers")]),
        module(
            "Web",
            [
                "Core", hummingbird, httpTypes, crypto, logging, nio("NIOCore"), nio("NIOHTTP1"), nio("NIOConcurrencyHelpers"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"), .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ],
            testable: true),
        module(
            "Ingress",
            ["Core", "Log", "Web", "RedisDriver", "NATSDriver", hummingbird, httpTypes, logging, lifecycle, nio("NIOCore"), nio("NIOConcurrencyHelpers")]),
        module("Verdicts", ["Core", "Log", "Control", "RedisDriver", logging]),
        module("Replay", ["Core", "Log", "PostgreSQLDriver", "NATSDriver", "RedisDriver", logging, lifecycle]),
        module("Projections", ["Core", "Log", "Replay", "PostgreSQLDriver", "RedisDriver", crypto, logging, lifecycle, nio("NIOConcurrencyHelpers")]),
        module(
            "Control",
            ["Core", "Log", "Projections", "PostgreSQLDriver", "RedisDriver", "RE2Driver", "ZoneDriver", logging, lifecycle, nio("NIOConcurrencyHelpers")]),
        module("WhatIf", ["Core", "Log", "Replay", "Control", "PostgreSQLDriver", "RedisDriver", "RE2Driver"]),
        module("Interventions", ["Core", "Log", "Replay", "PostgreSQLDriver", "RedisDriver", logging]),
        module(
            "Webhooks",
            [
                "Core", "Log", "Control", "RedisDriver", logging, nio("NIOCore"), nio("NIOHTTP1"), nio("NIOPosix"), nio("NIOConcurrencyHelpers"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ], testable: true),
        module(
            "Views",
            [
                "Core", "Log", "Replay", "WhatIf", "Projections", "Control", "Interventions", "Web", "PostgreSQLDriver", "RedisDriver", hummingbird, httpTypes,
                logging, lifecycle, nio("NIOCore"),
                nio("NIOConcurrencyHelpers"),
            ], resources: [.embedInCode("OpenAPI/openapi.yaml")], testable: true),
        module("Stack", [logging]),
        module("Client", ["Core", crypto]),
        module("Samples", ["Core"]),
        .executableTarget(
            name: "App",
            dependencies: [
                "Core", "Client", "Log", "Web", "Ingress", "Verdicts", "Replay", "WhatIf", "Projections", "Control", "Interventions", "Webhooks", "Views",
                "Stack", "Samples",
                "RedisDriver", "PostgreSQLDriver", "NATSDriver", "RE2Driver", "ZoneDriver",
                hummingbird, httpTypes, logging, lifecycle, "Yams", nio("NIOCore"), nio("NIOHTTP1"), nio("NIOPosix"), nio("NIOConcurrencyHelpers"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            swiftSettings: strict),

        .target(
            name: "TestSupport",
            dependencies: ["Log", "RedisDriver", "Stack", logging, lifecycle, hummingbird, httpTypes, nio("NIOCore"), nio("NIOConcurrencyHelpers")],
            path: "Tests/Support", swiftSettings: strict),
        tests("CoreTests", ["Core", "TestSupport"]),
        tests("CELTests", ["Core", "RE2Driver", "ZoneDriver", "TestSupport"]),
        tests("SchemaTests", ["Core", "RE2Driver", "TestSupport"]),
        tests("SamplesTests", ["Core", "RE2Driver", "Samples", "TestSupport"]),
        tests(
            "PolicyTests",
            ["Core", "Control", "Log", "Replay", "Verdicts", "WhatIf", "PostgreSQLDriver", "RE2Driver", "RedisDriver", "Stack", "TestSupport", "Yams", logging]),
        tests("LogTests", ["Core", "Log", "RedisDriver", "Stack", "TestSupport", logging]),
        tests("VerdictsTests", ["Core", "Log", "Control", "Verdicts", "RedisDriver", "Stack", "TestSupport", logging]),
        tests("IngressTests", ["Core", "Control", "Log", "Ingress", "RedisDriver", "NATSDriver", "PostgreSQLDriver", "Stack", "TestSupport", logging]),
        tests("Tidy", ["Core", "Log", "TestSupport"]),
        tests("ClientTests", ["Client", "Core"]),
        tests("DriversTests", ["RedisDriver", "PostgreSQLDriver", "NATSDriver", "Stack", "TestSupport", logging]),
        tests("StackTests", ["Stack", "TestSupport", logging]),
        tests(
            "WebTests",
            [
                "Web", hummingbird, logging, lifecycle, nio("NIOCore"), nio("NIOEmbedded"), nio("NIOPosix"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
            ]),
        tests(
            "ViewsTests",
            [
                "Core", "Ingress", "Interventions", "Log", "Replay", "Views", "Web", "WhatIf", "PostgreSQLDriver", "RedisDriver", "TestSupport", "Yams",
                hummingbird, logging,
                lifecycle, nio("NIOCore"), nio("NIOPosix"), .product(name: "HummingbirdCore", package: "hummingbird"),
            ]),
        tests(
            "InterventionsTests",
            [
                "Core", "Control", "Interventions", "Log", "Projections", "Replay", "Verdicts", "PostgreSQLDriver", "RedisDriver", "Stack",
                "TestSupport", logging,
            ]),
        tests("ControlTests", ["Core", "Control", "Log", "Projections", "RedisDriver", "Stack", "TestSupport", logging]),
        tests("WebhooksTests", ["Core", "Control", "Log", "Webhooks", "RedisDriver", "RE2Driver", "Stack", "TestSupport", logging]),
        tests("ProjectionsTests", ["Core", "Log", "Projections", "Replay", "PostgreSQLDriver", "RedisDriver", "Stack", "TestSupport", logging]),
        tests("IntegrationTests", path: "Integration", ["Core", "Log", "NATSDriver", "RedisDriver", "Stack", "TestSupport", logging]),
        tests("ReplayTests", ["Core", "Log", "Replay", "PostgreSQLDriver", "NATSDriver", "RedisDriver", "Stack", "TestSupport", logging]),
    ],
    cxxLanguageStandard: .cxx17
)
