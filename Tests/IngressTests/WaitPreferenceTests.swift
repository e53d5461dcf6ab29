import Core
import Ingress
import Testing

@Suite("Prefer: wait")
struct WaitPreferenceTests {
    @Test(
        "What RFC 7240 allows is read, what is none of it ignored",
        arguments: [
            (["wait=5"], 5), (["Wait = 5"], 5), (["wait=\"7\""], 7), (["respond-async, wait=10"], 10), (["respond-async; x=1;y , wait=3; z"], 3),
            (["respond-async", "wait=4"], 4), (["wait=4", "wait=9"], 4), (["x=\"a,wait=2\", wait=6"], 6), (["x=\"a\\\",wait=2\", wait=6"], 6),
            (["wait=30"], 30),
            (["wait=31"], 30), (["wait=999999999999999999"], 30), (["wait=9999999999999999999999"], nil), (["wait=0"], nil), (["wait"], nil), (["wait="], nil),
            (["wait=-1"], nil), (["wait=1.5"], nil), (["wait=5s"], nil), (["waiting=5"], nil), ([""], nil), ([], nil), (["wait=x, wait=5"], nil),
            (["\"wait=5"], nil),
        ] as [([String], Int?)])
    func read(_ values: [String], _ seconds: Int?) {
        #expect(WaitPreference(prefer: values)?.seconds == seconds)
        #expect(seconds ?? 0 <= Limits.preferWaitSecondsMax)
    }
}
