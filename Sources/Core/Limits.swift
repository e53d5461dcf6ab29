/// Every bound of the product, with its reason. Nothing queues, loops or waits without one of these.
package enum Limits {
    /// A message's payload and envelope together. NATS refuses 8 MiB by the embedded setting; 1 MiB is its usual default.
    package static let messageBytesMax = 1 << 20
    /// All fields of an entry: a message with what doors and releases add to it. What is larger has come past the doors.
    package static let entryBytesMax = 2 * messageBytesMax
    /// Nesting of JSON: deeper input only comes from mistakes and attacks, and parsers downstream recurse.
    package static let nestingMax = 128
    /// One parsed JSON document: a body that is held whole is the largest there is.
    package static let documentBytesMax = bodyBytesMax
    /// A topic is a NATS subject; NATS allows more, but indexes and headers carry it too.
    package static let topicBytesMax = 256
    /// Sender, recipient, type and correlation names.
    package static let nameBytesMax = 256
    /// Recipients of one message.
    package static let destinationsMax = 1_000
    /// Metadata is meant for small facts about a message; the payload is the place for the rest.
    package static let metadataBytesMax = 64 << 10
    /// Attributes of one CloudEvent; they are looked up one by one.
    package static let attributesMax = 256
    /// Messages of one HTTP array or CloudEvents batch.
    package static let batchMessagesMax = 10_000
    /// One HTTP body that must be held whole (array, batch). NDJSON streams have no such bound.
    package static let bodyBytesMax = 32 << 20
    /// Such bodies of all requests together, each beyond its first mebibyte: they are copied some times on their way to the log.
    package static let bodiesBytesMax = 4 * bodyBytesMax
    /// Connections of HTTP and WebSocket that are open at once; others wait to be taken. Each may hold half a message of the largest size.
    package static let connectionsMax = 10_000
    /// How long a graceful stop may take before what is left is cut off: below the 30 s after which container runtimes kill.
    package static let shutdownSecondsMax = 25
    /// Entries in one append batch: bounds the time Redis is busy with one pipeline (about 20 ms).
    package static let appendBatchMax = 4_096
    /// Bytes of one such batch: large messages are a matter of bytes, not of entries.
    package static let appendBatchBytesMax = 16 << 20
    /// Pipelines that are sent before the first is answered: one at Redis, one on its way.
    package static let appendPipelinesMax = 2
    /// Entries that wait to be appended, in all: about two seconds of work, so a refusal comes while it still helps.
    package static let appendQueueMax = 65_536
    /// Bytes that wait to be appended, in all.
    package static let appendQueueBytesMax = 128 << 20
    /// Seconds without an answer from the log after which doors refuse what is new: a slow disk takes some of them for one sync.
    package static let appendPatienceSeconds = 5
    /// Seconds without an answer after which the connection is given up, and nobody knows what became of what was on its way.
    package static let appendAnswerSeconds = 10
    /// Entries a stage reads at once.
    package static let readBatchMax = 1_024
    /// Bytes the list door takes in one step, so that a step ends well within its lease.
    package static let listStepBytesTarget = 4 << 20
    /// Messages the JetStream door fetches at once: each may have the server's largest size.
    package static let jetStreamFetchMax = 64
    /// How long a message of the JetStream door is recognised when it is delivered again, however short the dedupe window is. Its stream keeps
    /// messages for longer, but a name takes some 150 bytes of Redis for all this time, and is needed only when a process dies between append
    /// and acknowledgement.
    package static let redeliveryWindowMs: UInt64 = 86_400_000
    /// Messages the router decides at once: it reads them whole, so this bounds its memory too.
    package static let routerBatchMax = 256
    /// Rows of one COPY: thousands are best (see docs/benchmarks.md).
    package static let archiveBatchMax = 2_048
    /// Messages sent to a backbone before their acknowledgements are awaited.
    package static let republishBatchMax = 512
    /// Bytes a stage aims to read at once; a batch of large messages is cut to about this.
    package static let readBatchBytesTarget = 16 << 20
    /// Entries that are read before anything is known of their size, and at least: of the largest messages, twice that target.
    package static let readBatchMin = 32
    /// Entries of a batch from which on the next one is read while it is written: one chunk of a reader.
    package static let readAheadMin = 128
    /// Entries and bytes that the router's process keeps of what was decided last: what its followers are behind it under load, not more.
    package static let decidedTailEntriesMax = 8_192
    package static let decidedTailBytesMax = 16 << 20
    /// Backbones of the registry that are republished to, besides the one of the settings: each costs three threads and a connection.
    package static let backbonesMax = 64
    /// How often the groups of registered backbones are looked after although nothing has changed.
    package static let backboneGroupsInterval = Duration.seconds(5)
    /// Unacknowledged messages of one WebSocket or NDJSON connection before it is not read any further.
    package static let inFlightMax = 1_024
    /// Rows of one REST page.
    package static let pageRowsMax = 1_000
    /// Milliseconds that `Meshlog-Min-Position` may wait.
    package static let minPositionWaitMsMax = 10_000
    /// Seconds that `Prefer: wait=N` may wait.
    package static let preferWaitSecondsMax = 30
    /// Messages of one process whose verdict somebody waits for: with each batch of verdicts all of them are looked through. Beyond, the
    /// answer comes at once and without it.
    package static let verdictWaitersMax = 4_096
    /// Bytes of a rejected input that are kept; the digest covers all of it.
    package static let rejectedBytesMax = 1 << 20
    /// Bytes of all rejected inputs together, beside the declared retention; looked at when the stream is trimmed.
    package static let rejectedStreamBytesMax = 1 << 30
    /// Replies that wait for NATS to take them.
    package static let natsRepliesMax = 65_536
    /// Entries and bytes that the live feed holds ready for its followers.
    package static let feedRingEntriesMax = 8_192
    package static let feedRingBytesMax = 32 << 20
    /// Followers of the feed in one process.
    package static let feedFollowersMax = 1_000
    /// Changes of documents that are appended as one: a restore of everything must fit, and Redis works on nothing else meanwhile (about 100 ms).
    package static let controlBatchMax = 10_000
    /// Bytes of one document of the control stream: every process holds all of them.
    package static let controlDocumentBytesMax = 256 << 10
    /// One JSON Schema: they are written by people; a generated one of a hundred pages is still below.
    package static let schemaBytesMax = 1 << 20
    /// Subschemas of one compiled schema, with all it refers to.
    package static let schemaPartsMax = 20_000
    /// Regular expressions of one schema, and the instructions of all together: they keep their programs and caches in memory.
    package static let schemaPatternsMax = 500
    package static let schemaPatternSizeMax = 200_000
    /// Significant digits of a number in a schema: exact division costs digits × digits.
    package static let schemaDigitsMax = 400
    /// Schemas within each other while one instance is evaluated; each takes up to a kilobyte of stack, and threads
    /// have 8 MiB.
    package static let evaluationDepthMax = 1_000
    /// Schemas applied, members and items looked at, and the like, for one instance: some tenths of a second. The message with the most
    /// values has half a million of them.
    package static let evaluationStepsMax = 4_000_000
    /// Pairs of subschemas looked at when two versions of a schema are compared; references can make more of them than there are parts.
    package static let compatibilityStepsMax = 20_000
    /// Violations named in one answer; the rest is counted.
    package static let violationsMax = 64
    /// Sessions that the clock ends in one step: it holds their messages, each up to the largest size.
    package static let sessionBatchMax = 32
    /// Sessions that are open at once: each takes about a kilobyte of Redis's memory. A thousand messages a second that are delayed by a minute
    /// fit; what people ought to decide and do not should stop somebody before it stops Redis.
    package static let openSessionsMax = 100_000
    /// Bytes of the comment of a decision.
    package static let sessionCommentBytesMax = 4 << 10
    /// Constraints in force together: every process holds them compiled, about 10 kB each.
    package static let constraintsMax = 50_000
    /// Members of one list of a constraint's scope.
    package static let scopeNamesMax = 1_000
    /// Members that one constraint annotates a verdict with.
    package static let annotationsMax = 32
    /// Bytes of all annotations of one verdict.
    package static let annotationBytesMax = 8 << 10
    /// Units of cost that all rules together may spend on one message: 2 to 10 ms, so that no message stops the router.
    package static let policyCostMax = 200_000
    /// Bytes of a reason as it stands in a verdict.
    package static let reasonBytesMax = 512
    /// Errors, and matches of shadow constraints, that one verdict names.
    package static let verdictErrorsMax = 8
    package static let verdictShadowsMax = 32
    /// Limits that one message may come by, in force and as many shadows: each leaves some 250 bytes in the verdict. Two for each of the most
    /// recipients there can be.
    package static let verdictLimitsMax = 2_000
    /// Bytes of what strangers wrote into an entry that its burial repeats as the cause.
    package static let faultTextBytesMax = 80
    /// Bytes of the key that a limit counts by.
    package static let limitKeyBytesMax = 256
    /// Keys that limits remember, some 200 bytes each; beyond, those that are nearest to having their whole burst again are forgotten.
    package static let limiterKeysMax = 200_000
    /// Verdicts, and seconds, after which the router writes down what limits remember: a takeover reads no more than these verdicts.
    package static let limitsWrittenVerdicts = 50_000
    package static let limitsWrittenSeconds = 60
    /// Values of the configuration that the policy holds ready, by topic and sender.
    package static let policyMemoMax = 4_096
    /// Pairs of constraints that are compared to find contradictions.
    package static let lintPairsMax = 200_000
    /// Groups of changed verdicts, and examples of each, that a what-if names.
    package static let flipGroupsMax = 1_000
    package static let flipExamplesMax = 5
    /// Cases of one file of policy tests.
    package static let policyCasesMax = 10_000
    /// Messages of one chunk of history: enough to make a query cheap, few enough that a reader stops soon.
    package static let historyChunkEntries = 1_024
    /// What one request over history may look at, and how long it may take; what is left is told with the position to go on from.
    package static let historyMessagesMax = 1_000_000
    package static let historyRequestSeconds = 10
    /// Body of such a request: some thousand constraints.
    package static let historyBodyBytesMax = 4 << 20
    /// Messages that one validation template's trial names as failing.
    package static let backtestFailuresMax = 100
    /// Notifications that one process's doors have on their way to the log: they share the appender's queue with messages, which go first.
    package static let noticesWaitingMax = 4_096
    /// Entries of `notifications` beyond which the oldest go even when nobody has read them: a flood of bad messages must not fill Redis
    /// (about 100 MB).
    package static let notificationsKeptMax = 200_000
    /// Bytes of one notice's violations, and of each text within: what is sent stays below the 20 kB of Standard Webhooks.
    package static let noticeViolationsBytesMax = 12 << 10
    package static let noticeTextBytesMax = 1_024
    /// Bytes of a webhook's id, which stands in a header, and of its URL.
    package static let webhookIDBytesMax = 64
    package static let webhookURLBytesMax = 2_048
    /// Deliveries that wait, of one webhook and of all: each holds its body in Redis, mostly 1 kB, at most 16.
    package static let webhookDeliveriesEachMax = 2_000
    package static let webhookDeliveriesMax = 20_000
    /// Requests on their way, to one webhook and to all: a slow receiver takes no more than its own.
    package static let webhookRequestsEachMax = 4
    package static let webhookRequestsMax = 64
    /// Names that are being looked up, each on a thread: twice the requests, so that as many look-ups as there are requests may hang, long after
    /// these were given up, and take nothing from names that answer.
    package static let webhookLookupsMax = 128
    /// How long a receiver may take; Standard Webhooks asks for 15 to 30 s.
    package static let webhookTimeoutMs: Int64 = 15_000
    /// What a `Retry-After` can ask for at most: the longest step of the schedule. A pause of all of a webhook's deliveries is shorter.
    package static let webhookRetryAfterMsMax: Int64 = 86_400_000
    package static let webhookPauseMsMax: Int64 = 3_600_000
    /// How long a replaced secret still signs, and how many of them at once.
    package static let webhookGraceMs: Int64 = 86_400_000
    package static let webhookRetiredMax = 4
    /// Characters of an error as it stands in an attempt.
    package static let webhookErrorCharactersMax = 512
    /// Notifications that are spread to webhooks in one step, and bytes of their deliveries from which on the rest waits for the next: Redis
    /// works on nothing else meanwhile.
    package static let notificationBatchMax = 128
    package static let notificationBatchBytesTarget = 4 << 20
}
