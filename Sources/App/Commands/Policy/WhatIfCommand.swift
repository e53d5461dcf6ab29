internal import ArgumentParser
internal import Client
internal import Core
internal import WhatIf

struct WhatIfCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "what-if", abstract: "Ask what other constraints would have said about the messages of the log, or prove what was said.",
        discussion: """
            meshlog what-if --constraints examples/policy.yaml --since 30d
            meshlog what-if --constraints new.yaml more.json --replace --topic 'tasks.>' --json
            meshlog what-if --remove no-secrets --since 2026-01-31T12:00:00Z --until 0-1769860900000-0
            meshlog what-if --verify                    decides everything again, and names the first verdict that differs

            Candidates are put over the constraints in force at each message's revision; with --replace they are all there is.
            Reads Redis and PostgreSQL itself: those of the embedded stack that runs in .meshlog, else those the flags name.
            Exit codes: 0 also where verdicts change; with --verify 1 where one differs; 2 the files cannot be used.
            """)
    @Option(parsing: .upToNextOption, help: "YAML or JSON files: a list of constraints, or an object with it under 'constraints'") var constraints: [String] =
        []
    @Option(parsing: .upToNextOption, help: "ids of constraints that would not be there") var remove: [String] = []
    @Flag(help: "the files' constraints instead of those in force") var replace = false
    @Flag(help: "the constraints that were in force: nothing may differ") var verify = false
    @OptionGroup var history: HistoryFlags

    func validate() throws {
        if verify, !constraints.isEmpty || !remove.isEmpty || replace {
            throw ValidationError("--verify takes the constraints that were in force, and no others")
        }
        if !verify, constraints.isEmpty, remove.isEmpty { throw ValidationError("give files with --constraints, ids with --remove, or --verify") }
        if replace, constraints.isEmpty || !remove.isEmpty { throw ValidationError("--replace needs --constraints, and takes all others out already") }
    }

    func run() async throws {
        let range = try history.range()
        let (place, tools) = try history.place()
        let policy: WhatIfQuestion.Policy
        if verify {
            policy = .logged
        } else {
            let candidates = try await candidates(tools.compiler)
            policy = replace ? .replaced(candidates) : .merged(candidates, removed: Set(remove))
        }
        let answer = try WhatIfRun(WhatIfQuestion(policy, range), place: place, tools: tools).run(progress: HistoryFlags.show)
        HistoryFlags.endProgress()
        guard answer.unknown.isEmpty else {
            throw CommandFailure(
                .refused,
                "no such constraint was in force in that time: \(answer.unknown.joined(separator: ", ")); `meshlog constraints` lists them")
        }
        HistoryFlags.note(answer.coverage)
        if history.json { Output.json(answer.json) } else if verify { tell(answer) } else { WhatIfTables(answer).show() }
        if verify, !answer.report.isSame { throw ExitCode(CommandExit.failed.rawValue) }
    }

    private func candidates(_ compiler: PolicyCompiler) async throws -> [Constraint] {
        var all: [Constraint] = []
        var files: [String: String] = [:]
        for file in constraints {
            let (read, refusal) = PolicyTestSuite.constraints(try await PolicyFile.read(file), "", compiler)
            guard refusal.isEmpty else { throw PolicyFile.refuse(refusal, in: file, json: history.json) }
            for constraint in read {
                if let other = files.updateValue(file, forKey: constraint.id) {
                    throw CommandFailure(.refused, "'\(constraint.id)' stands in \(other) and in \(file)")
                }
                if remove.contains(constraint.id) { throw CommandFailure(.refused, "'\(constraint.id)' stands in \(file) and behind --remove") }
            }
            all += read
        }
        return all
    }

    /// The proof, or where it fails.
    private func tell(_ answer: WhatIfAnswer) {
        Output.line(HistoryFlags.summary(answer.coverage))
        if let revisions = answer.revisions { Output.line("constraints as of \(revisions.lowerBound) to \(revisions.upperBound)") }
        guard let difference = answer.report.difference else { return Output.line("differences: 0") }
        Output.line("differences: \(Amounts.count(answer.report.differences)), the first at \(difference.position)")
        Output.line("  logged    \(String(decoding: difference.logged.json, as: UTF8.self))")
        Output.line("  computed  \(String(decoding: difference.computed.json, as: UTF8.self))")
    }
}
