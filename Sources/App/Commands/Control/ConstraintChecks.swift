internal import ArgumentParser
internal import Client
internal import Core
internal import Foundation
internal import RE2Driver
internal import ZoneDriver

struct ConstraintLintCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint", abstract: "Check a file of constraints: what is wrong, and what probably does not say what was meant.",
        discussion: """
            meshlog constraints lint examples/policy.yaml

            Needs no server. Exit code 1: something was found, 2: the file cannot be used.
            """)
    @Argument(help: "YAML or JSON: a list of constraints, or an object with it under 'constraints'") var file: String
    @Flag(help: "print findings as JSON, one a line") var json = false

    func run() async throws {
        let (constraints, refusal) = PolicyTestSuite.constraints(try await PolicyFile.read(file), "", ConstraintChecks.compiler)
        guard refusal.isEmpty else { throw PolicyFile.refuse(refusal, in: file, json: json) }
        let findings = ConstraintLint.check(constraints)
        for finding in findings {
            if json { Output.jsonLine(finding.json) } else { Output.line("\(finding.constraint): \(finding.message) [\(finding.code.rawValue)]") }
        }
        if !findings.isEmpty { throw ExitCode(CommandExit.failed.rawValue) }
        if !json { Output.line("\(constraints.count) constraints, nothing found") }
    }
}

struct ConstraintTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run a file of policy tests: messages, the state they meet, the verdict that is expected.",
        discussion: """
            meshlog constraints test examples/policy.test.yaml

            Needs no server. Exit code 1: a case failed, 2: the file cannot be used.
            """)
    @Argument(help: "YAML or JSON with 'cases', and 'constraints' or 'constraints_file'") var file: String
    @Flag(help: "print results as JSON, one a line") var json = false

    func run() async throws {
        let document = try await PolicyFile.read(file)
        var constraints: JSONNode?
        if let other = document["constraints_file"]?.string {
            constraints = try await PolicyFile.read(URL(fileURLWithPath: other, relativeTo: URL(fileURLWithPath: file)).path)
        }
        let suite: PolicyTestSuite
        do throws(Refusal) {
            suite = try PolicyTestSuite(document, constraints: constraints, compiler: ConstraintChecks.compiler)
        } catch {
            throw PolicyFile.refuse(error, in: file, json: json)
        }
        let results = suite.run()
        for result in results {
            if json {
                Output.jsonLine(result.json)
            } else {
                Output.line("\(result.passed ? "ok    " : "FAILED") \(result.name)")
                for line in result.text.split(separator: "\n") { Output.line("         \(line)") }
            }
        }
        let failed = results.count { !$0.passed }
        if !json { Output.line("\(results.count) cases, \(failed) failed") }
        if failed > 0 { throw ExitCode(CommandExit.failed.rawValue) }
    }
}

enum ConstraintChecks {
    static var compiler: PolicyCompiler { PolicyCompiler(patterns: RE2Compiler(), zones: ZoneFolder()) }
}
