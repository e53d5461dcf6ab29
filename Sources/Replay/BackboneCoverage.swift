internal import NATSDriver

/// Knows, for one session, which stream stores a subject, and lets Meshlog's own stream take in new first tokens.
struct BackboneCoverage {
    enum Cover: Equatable {
        case stream(String)
        /// No stream acknowledges it.
        case core
    }

    private let jetStream: JetStream
    private let settings: BackboneSettings
    /// Whether the server has JetStream.
    let isEnabled: Bool
    /// First tokens that Meshlog's own stream stores.
    private var roots: Set<String> = []
    private var rootsBytes = 0
    /// First tokens that the server refused because another stream has part of them, or for good.
    private var contested: Set<String> = []
    /// For what is not in `roots`.
    private var covers: [String: Cover] = [:]

    init(_ connection: NATSConnection, _ settings: BackboneSettings) throws(NATSError) {
        jetStream = JetStream(connection, domain: settings.domain, timeout: settings.timeout)
        self.settings = settings
        isEnabled = try jetStream.isEnabled()
        if isEnabled, let info = try ownStream() { adopt(info) }
    }

    /// Makes Meshlog's stream store all of `subjects` that it may.
    mutating func provision(_ subjects: Set<String>) throws(NATSError) {
        if !isEnabled { return }
        var wanted: [String] = []
        for root in Set(subjects.map(BackboneSubject.root)).sorted() where !roots.contains(root) && !contested.contains(root) {
            let bytes = wanted.reduce(rootsBytes) { $0 + 2 * $1.utf8.count + 8 } + 2 * root.utf8.count
            if roots.count + wanted.count < BackboneLimits.rootsMax, bytes < BackboneLimits.rootsBytesMax { wanted.append(root) }
        }
        if !wanted.isEmpty { try add(wanted) }
    }

    /// The stream that stores `subject`; asks the server once for each subject that Meshlog's own does not.
    mutating func cover(_ subject: String) throws(NATSError) -> Cover {
        if !isEnabled { return .core }
        if roots.contains(BackboneSubject.root(subject)) { return .stream(settings.stream) }
        if let known = covers[subject] { return known }
        let cover = try foundCover(subject)
        if covers.count >= BackboneLimits.subjectsMax { covers = [:] }
        covers[subject] = cover
        return cover
    }

    /// Nobody acknowledged `subject`: what was known of it is asked anew.
    mutating func forget(_ subject: String) {
        let root = BackboneSubject.root(subject)
        if roots.remove(root) != nil { rootsBytes -= 2 * root.utf8.count + 8 }
        contested.remove(root)
        covers[subject] = nil
    }

    /// The ends of `streams`, by message id. A stream that is gone, or lets nobody read it so, has none.
    func tails(of streams: Set<String>, count: Int) throws(NATSError) -> [String: BatchRecovery.Place] {
        var found: [String: BatchRecovery.Place] = [:]
        for stream in streams.sorted() {
            do throws(NATSError) {
                for message in try jetStream.tail(stream, count: count, headers: [BackboneHeader.id]) {
                    guard let id = message.header(BackboneHeader.id) else { continue }
                    found[id] = BatchRecovery.Place(stream: stream, sequence: message.sequence)
                }
            } catch  where !error.isRetryable {
                continue
            }
        }
        return found
    }

    // MARK: Provisioning

    /// Adds all at once; what the server refuses is halved until the refused ones stand alone.
    private mutating func add(_ wanted: [String]) throws(NATSError) {
        do throws(NATSError) {
            adopt(try createOrAdd(wanted.flatMap { [$0, "\($0).>"] }))
        } catch  where !error.isRetryable {
            if wanted.count == 1 {
                if contested.count >= BackboneLimits.rootsMax { contested = [] }
                contested.insert(wanted[0])
                return
            }
            try add(Array(wanted[..<(wanted.count / 2)]))
            try add(Array(wanted[(wanted.count / 2)...]))
        }
    }

    private func createOrAdd(_ subjects: [String]) throws(NATSError) -> StreamInfo {
        do throws(NATSError) {
            return try jetStream.addSubjects(subjects, to: settings.stream)
        } catch .jetStream(_, .streamNotFound, _) {
            return try create(subjects)
        }
    }

    private func create(_ subjects: [String]) throws(NATSError) -> StreamInfo {
        let configuration = StreamConfiguration(
            name: settings.stream, subjects: subjects, maxAge: settings.maxAge, bytesMax: settings.bytesMax,
            duplicateWindow: settings.duplicateWindow, replicas: settings.replicas)
        do throws(NATSError) {
            return try jetStream.createStream(configuration)
        } catch .jetStream(_, .streamNameInUse, _) {
            // Another process was faster.
            return try jetStream.addSubjects(subjects, to: settings.stream)
        }
    }

    private func ownStream() throws(NATSError) -> StreamInfo? {
        do throws(NATSError) {
            return try jetStream.streamInfo(settings.stream)
        } catch .jetStream(_, .streamNotFound, _) {
            return nil
        }
    }

    private mutating func adopt(_ info: StreamInfo) {
        let subjects = Set(info.subjects)
        roots = info.isSilent ? [] : Set(subjects.filter { !$0.contains(".") && subjects.contains("\($0).>") })
        rootsBytes = roots.reduce(0) { $0 + 2 * $1.utf8.count + 8 }
    }

    private func foundCover(_ subject: String) throws(NATSError) -> Cover {
        for name in try jetStream.streamNames(storing: subject) where try !jetStream.streamInfo(name).isSilent { return .stream(name) }
        return .core
    }
}
