internal import ArgumentParser
internal import Client
internal import Core
internal import NIOHTTP1

struct ConstraintApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Put every constraint of a file in force; those that are so already are left alone.",
        discussion: """
            meshlog constraints apply examples/policy.yaml --dry-run
            meshlog constraints apply examples/policy.yaml --comment 'as reviewed'
            meshlog constraints apply policy.yaml --prune

            The file is checked as a whole before the first change. The changes are made one after the other, each as an event of its own.
            """)
    @Argument(help: "YAML or JSON: a list of constraints, or an object with it under 'constraints'") var file: String
    @Flag(help: "delete the constraints that are not in the file") var prune = false
    @Flag(name: .customLong("dry-run"), help: "say what would change, and change nothing") var dryRun = false
    @Option(help: "why; it stands in the events") var comment: String?
    @Option(help: "who; it stands in the events") var principal: String?
    @OptionGroup var client: ClientFlags

    func run() async throws {
        let document = try await PolicyFile.read(file)
        let (constraints, refusal) = PolicyTestSuite.constraints(document, "", ConstraintChecks.compiler)
        guard refusal.isEmpty else { throw PolicyFile.refuse(refusal, in: file) }
        let items = Array((document["constraints"] ?? document).items)
        let wanted = zip(constraints, items).map { (id: $0.id, text: Array($1.text)) }
        let headers = [("meshlog-comment", comment), ("meshlog-principal", principal)].compactMap { name, value in value.map { (name, $0) } }
        try await MeshlogServer.use(try client.resolve()) { server in
            var present = try await inForce(server)
            for (id, text) in wanted {
                let now = present.removeValue(forKey: id)
                if let now, ConstraintApply.isSame(now, text) {
                    Output.line("unchanged  \(id)")
                    continue
                }
                if !dryRun { _ = try await server.change(.PUT, "/v1/constraints/\(MeshlogServer.escaped(id))", body: text, headers: headers) }
                Output.line("\(now == nil ? "created  " : "replaced ")  \(id)")
            }
            for id in present.keys.sorted() where prune {
                if !dryRun { _ = try await server.change(.DELETE, "/v1/constraints/\(MeshlogServer.escaped(id))", headers: headers) }
                Output.line("deleted    \(id)")
            }
        }
        if dryRun { Output.note("nothing was changed: --dry-run") }
    }

    /// The documents in force by key.
    private func inForce(_ server: MeshlogServer) async throws -> [String: [UInt8]] {
        var out: [String: [UInt8]] = [:]
        var query = [("limit", "1000")]
        while true {
            let page = try await server.json("/v1/constraints", query)
            for row in page["documents"]?.elements ?? [] {
                if let key = row["key"]?.plain, let document = row["document"] { out[key] = Array(document.bytes) }
            }
            guard let next = page["next_cursor"], !next.isNull else { return out }
            query = [("limit", "1000"), ("cursor", next.plain)]
        }
    }

    /// The same values, however they are written: strings by their characters' bytes, numbers by all their digits.
    private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard let left = try? JSONDocument(left), let right = try? JSONDocument(right) else { return false }
        return left.root.equals(right.root)
    }
}
