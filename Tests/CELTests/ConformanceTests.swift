import Core
import TestSupport
import Testing

@Suite("CEL conformance")
struct ConformanceTests {
    private static let folder = Repository.conformance

    @Test(
        "Every test of the specification's suite gives its value or its error",
        .enabled(if: folder != nil, "the data of the outside suites is not there: set MESHLOG_CONFORMANCE"))
    func suite() throws {
        let cases = try ConformanceCase.load(#require(Self.folder))
        #expect(cases.count > 500)
        let complaints = cases.filter { !$0.isMild }.compactMap { $0.complaint($0.run()) }
        #expect(complaints == [])
        let mild = cases.filter(\.isMild).compactMap { $0.complaint($0.run()) }
        print("CEL conformance: \(cases.count - complaints.count - mild.count) of \(cases.count) pass; \(mild.count) fail that cel-go skips as well")
        for complaint in mild { print("  " + complaint) }
    }

    @Test(
        "What passes the checker gives the same without it", .enabled(if: folder != nil, "the data of the outside suites is not there: set MESHLOG_CONFORMANCE")
    )
    func unchecked() throws {
        let checked = try ConformanceCase.load(#require(Self.folder)).filter(\.isChecked)
        var complaints: [String] = []
        for test in checked {
            guard case .success(let value) = test.run(check: true) else { continue }
            if case .success(let other) = test.run(check: false), ConformanceCase.isSame(value, other) { continue }
            complaints.append(test.id)
        }
        #expect(complaints == [])
    }
}
