import Core
import Testing

@Suite("Policy: files of tests")
struct SuiteTests {
    private func suite(_ text: String) throws -> PolicyTestSuite { try PolicyTestSuite(try JSONDocument(text).root, compiler: PolicyRig.compiler) }

    private static let file = """
        {"constraints": [{"constraint_id": "l", "action": {"type": "limit", "rate": 1, "period_ms": 1000}, "priority": 1},
                         {"constraint_id": "c", "when": "config.closed && !('east' in registry)", "action": {"type": "block"}, "reason": "closed at {{ now.getHours() }}"}],
         "cases": [
          {"name": "open", "message": {"topic": "a", "data": 1}, "state": {"config": {"closed": false}}, "expect": {"outcome": "deliver", "rule": "default"}},
          {"name": "closed", "message": {"topic": "a", "data": 1}, "now": "2026-01-01T17:00:00Z", "state": {"config": [{"level": "topic", "scope": "a", "name": "closed", "value": true}]}, "expect": {"outcome": "block", "reason": "closed at 17"}},
          {"name": "has a backbone", "message": {"topic": "a", "data": 1}, "state": {"config": {"closed": true}, "registry": [{"name": "east"}]}, "expect": {"outcome": "deliver"}},
          {"name": "too many", "message": {"topic": "a", "data": 1}, "state": {"config": {"closed": false}, "earlier": [{"times": 1}]}, "expect": {"rule": "l", "retry_after_ms": 1000}},
          {"name": "wrong on purpose", "message": {"topic": "a", "data": 1}, "state": {"config": {"closed": false}}, "expect": {"outcome": "hold", "rule": "default", "destinations": ["x"]}}]}
        """

    @Test("Cases run by themselves, and a failing one says what differs") func run() throws {
        let results = try suite(Self.file).run()
        #expect(results.map(\.passed) == [true, true, true, true, false])
        #expect(results[4].text == "outcome: expected \"hold\", got \"deliver\"\ndestinations: expected [\"x\"], got []")
        #expect(try JSONDocument(results[4].json).root["differences"]?.count == 2)
        #expect(try suite(Self.file).run() == results)
    }

    @Test("Everything wrong in a file is told with its place") func wrong() throws {
        let text =
            #"{"constraints":[{"constraint_id":"a","action":{"type":"blok"}},{"constraint_id":"b","when":"1 +","action":{"type":"block"}}],"cases":[{"message":{"topic":"a..b"},"expect":{"outcom":"x"}},{"message":{"topic":"a"},"now":"noon","expect":{"outcome":"pass"}},{"name":"x"}],"case":1}"#
        do {
            _ = try suite(text)
            Issue.record("it was taken")
        } catch let refusal as Refusal {
            let pointers = refusal.violations.map(\.pointer)
            for expected in [
                "/case", "/constraints/0/action/type", "/constraints/1/when", "/cases/0/message/topic", "/cases/0/expect/outcom", "/cases/1/now",
                "/cases/1/expect/outcome", "/cases/2/message", "/cases/2/expect",
            ] {
                #expect(pointers.contains(expected), "\(expected) in \(pointers)")
            }
        }
    }
}
