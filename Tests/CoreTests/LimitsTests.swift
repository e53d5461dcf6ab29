import Core
import Testing

@Suite("Limits")
struct LimitsTests {
    @Test("The bounds fit each other") func rules() {
        #expect(Limits.messageBytesMax >= Limits.metadataBytesMax + Limits.topicBytesMax + 4 * Limits.nameBytesMax, "the envelope's parts fit into a message")
        #expect(Limits.bodyBytesMax >= Limits.messageBytesMax, "an array of one message fits")
        #expect(Limits.rejectedBytesMax >= Limits.messageBytesMax, "what could have been a message is kept whole")
        #expect(Limits.appendBatchMax <= Limits.appendQueueMax)
        #expect(Limits.batchMessagesMax <= Limits.appendQueueMax, "an array is taken whole or not at all")
        #expect(Limits.appendQueueBytesMax >= Limits.bodyBytesMax + Limits.messageBytesMax, "the largest array can be queued")
        #expect(Limits.inFlightMax * 8 <= Limits.appendQueueMax, "one stream cannot fill the queue alone")
        #expect(Limits.routerBatchMax <= Limits.readBatchMax)
        #expect(Limits.routerBatchMax * 10 + 5 < 8_000, "the arguments of one decision fit Lua's unpack")
        #expect(Limits.readBatchBytesTarget >= 2 * Limits.messageBytesMax)
        #expect(Limits.nestingMax <= 512, "Foundation, PostgreSQL and most parsers read that deep")
    }
}
