import Core
import Foundation
import TestSupport
import Testing
import ZoneDriver

@Suite("CEL library")
struct LibraryTests {
    @Test(
        "Functions at their edges",
        arguments: [
            "'abc'.replace('', '-') == '-a-b-c-'", "'abc'.replace('', '-', 2) == '-a-bc'", "'aaa'.replace('aa', 'b') == 'ba'",
            "'abc'.replace('b', 'x', 0) == 'abc'",
            "'abc'.split('') == ['a', 'b', 'c']", "'üöä'.split('', 2) == ['ü', 'öä']", "''.split('') == []", "''.split(',') == ['']",
            "'a,b,c'.split(',', 2) == ['a', 'b,c']",
            "'a,b'.split(',', 5) == ['a', 'b']", "'abc'.lastIndexOf('') == 3", "''.indexOf('') == 0", "'abc'.indexOf('abcd') == -1",
            "'héllo'.substring(1, 2) == 'é'",
            "[1, 2].size() == 2", "'%d%%'.format([5]) == '5%'", "'%s'.format([1e21]) == '1000000000000000000000'", "'%.2e'.format([0.0]) == '0.00e+00'",
            "'%.0e'.format([9.5e10]) == '1e+11'",
            "'%.3f'.format([1e-10]) == '0.000'", "'%.1f'.format([0.25]) == '0.2'", "'%.1f'.format([0.35]) == '0.3'", "'%.2f'.format([-0.001]) == '-0.00'",
            "'%x'.format([-255]) == '-ff'",
            "'%b'.format([true]) == '1'", "'%X'.format([b'\\xab\\xcd']) == 'ABCD'", "string(1e6) == '1e+06'", "string(123456.0) == '123456'",
            "string(1.0) == '1'", "string(-0.0) == '-0'",
            "string(0.0001) == '0.0001'", "string(0.00001) == '1e-05'", "string(1.5e300) == '1.5e+300'", "double(string(5e-324)) == 5e-324",
            "int('-9223372036854775808') == -9223372036854775807 - 1",
            "string(duration('-1.5s')) == '-1.5s'", "string(duration('1h2m3.000000004s')) == '3723.000000004s'", "duration('1.5h') == duration('5400s')",
            "duration('-1m30s').getSeconds() == -90",
            "duration('1s500ms').getMilliseconds() == 500", "duration('100us') == duration('100µs')", "duration('0') == duration('0s')",
            "string(timestamp('2024-02-29T12:00:00.120Z')) == '2024-02-29T12:00:00.12Z'",
            "timestamp('2024-02-29T23:30:00-01:00') == timestamp('2024-03-01T00:30:00Z')", "timestamp('0001-01-01T00:00:00Z') < timestamp(0)",
            "timestamp(0).getDayOfWeek() == 4", "timestamp('2024-12-31T00:00:00Z').getDayOfYear() == 365",
            "timestamp('2300-01-01T00:00:00Z') - timestamp('2010-01-01T00:00:00Z') == duration('2542080h')", "math.sqrt(2) > 1.41 && math.sqrt(4u) == 2.0",
            "math.round(-2.5) == -3.0", "math.bitShiftRight(-1, 1) == 9223372036854775807",
            "math.isNaN(math.sqrt(-1.0))", "math.sign(-0.5) == -1.0", "math.abs(-2.5) == 2.5", "base64.decode('') == b''", "base64.encode(b'a') == 'YQ=='",
            "b'a' + b'b' == b'ab'", "bytes('ü') == b'\\xc3\\xbc'",
            "[3, 1, 2].map(x, x > 1, x * 10) == [30, 20]", "[1, 1].exists_one(x, x == 1) == false", "{'a': 1}.all(k, k == 'a')", "0.0 == -0.0",
            "!(0.0/0.0 < 1.0) && !(0.0/0.0 >= 1.0)", "[0.0/0.0] != [0.0/0.0]",
            "[7, 8][dyn(1u)] == 8", "{1: 'a'}[dyn(1.0)] == 'a'", "dyn(18446744073709551615u) > 9223372036854775807",
            "5 / -2 == -2 && 5 % -2 == 1 && -5 % 2 == -1", "--5 == 5 && -(-5) == 5", "1 - -1 == 2",
            "'a' in {'a': 1} && !(dyn(1) in {'1': 1})",
        ])
    func edges(_ source: String) throws {
        #expect(try Rules.outcome(source, check: true).get() == .bool(true))
        #expect(try Rules.outcome(source, check: false).get() == .bool(true))
    }

    @Test(
        "What has no value is an error",
        arguments: [
            "-9223372036854775807 - 2", "-(-9223372036854775807 - 1)", "(-9223372036854775807 - 1) / -1", "(-9223372036854775807 - 1) % -1", "0u - 1u", "1 % 0",
            "int(9.3e18)", "int(0.0 / 0.0)", "uint(-1)", "uint(-0.5)",
            "int('1.5')", "int('')", "int(' 1')", "uint('+1')", "double('0x10')", "double('1e')", "double('nan(1)')", "double('')", "bool('yes')",
            "string(b'\\xff')", "timestamp('2024-02-30T00:00:00Z')", "timestamp('2024-01-01T00:00:60Z')",
            "timestamp('2024-01-01 00:00:00Z')", "timestamp(-62135596801)", "timestamp('0000-01-01T00:00:00Z')", "duration('1')", "duration('s')",
            "duration('1x')", "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')", "duration('9223372036.854775808s')",
            "duration('-9223372036s') - duration('1s')", "duration('')", "duration('1.s.')",
            "timestamp(0).getHours('Mars/Olympus')", "timestamp(0).getHours('../../etc/passwd')", "timestamp(0).getHours('25:00')",
            "timestamp(0).getHours('1:2:3')", "math.abs(-9223372036854775807 - 1)", "base64.decode('a')", "base64.decode('!!!!')",
            "'%'.format([])", "'%q'.format([1])", "'%.f'.format([1.0])", "'%.5000f'.format([1.0])", "'%d'.format([1.5])", "'abc'.charAt(4)",
            "'abc'.substring(2, 1)", "'abc'.indexOf('a', 4)", "{1: 1}[2]", "[1][1]", "[1][-1]", "{1: 'a', dyn(1u): 'b'}",
        ])
    func errors(_ source: String) throws {
        for check in [true, false] {
            if case .success(let value) = try Rules.outcome(source, check: check) { Issue.record("\(source) gives \(value)") }
        }
    }

    @Test("Doubles are written as C's printf writes them") func printf() throws {
        var numbers = SeededNumbers(7)
        var values = [
            0.0, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 0.5, 1.5, 2.5, 0.125, 999.9995, 9.9999e22, 1e22, 123456789.123456789,
        ]
        for _ in 0..<300 { values.append(Double(bitPattern: numbers.next())) }
        for _ in 0..<300 { values.append(Double(numbers.below(1 << 40)) / 1024) }
        let environment = CELEnvironment(variables: [CELEnvironment.Variable("x", .double)])
        var activation = environment.activation()
        let back = try environment.compile("double(string(x)) == x && double('%s'.format([x])) == x")
        for value in values where value.isFinite {
            activation.set(0, .double(value))
            #expect(back.evaluate(activation, costMax: 10_000).value == .bool(true), "\(value)")
        }
        for (precision, letter) in [0, 1, 3, 6, 17].flatMap({ [($0, "f"), ($0, "e")] }) {
            let format = "%.\(precision)\(letter)"
            let program = try environment.compile("'\(format)'.format([x])")
            for value in values where value.isFinite {
                activation.set(0, .double(value))
                let text = program.evaluate(activation, costMax: 10_000).value
                #expect(text == .string(String(format: format, value)))
            }
        }
    }

    @Test(
        "Zones agree with the platform's own reading of them",
        arguments: [
            "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
            "Asia/Tehran", "Europe/Dublin", "America/Sao_Paulo", "US/Central",
            "Antarctica/Troll", "Asia/Gaza", "UTC",
        ])
    func zones(_ name: String) throws {
        let rules = try #require(ZoneFolder().rules(name), "\(name) is in tzdata")
        let zone = try #require(TimeZone(identifier: name))
        var numbers = SeededNumbers(11)
        for _ in 0..<2_000 {
            // 1970 to 2100: files of tzdata end in 2037 and give a rule behind that.
            let seconds = Int64(numbers.below(4_102_444_800))
            let expected = Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
            #expect(rules.offset(at: seconds) == expected, "\(name) at \(seconds)")
        }
    }

    @Test("Broken zone files are refused") func brokenZones() throws {
        let whole = Array(try Data(contentsOf: URL(fileURLWithPath: ZoneFolder.system + "/Europe/Berlin")))
        #expect(ZoneRules(tzif: whole) != nil)
        #expect(ZoneRules(tzif: []) == nil)
        for length in stride(from: 0, to: whole.count - 40, by: 7) { _ = ZoneRules(tzif: Array(whole[..<length])) }
        var numbers = SeededNumbers(3)
        for _ in 0..<3_000 {
            var bytes = whole
            for _ in 0..<3 { bytes[numbers.below(bytes.count)] = UInt8(truncatingIfNeeded: numbers.next()) }
            _ = ZoneRules(tzif: bytes)?.offset(at: Int64(numbers.below(1 << 33)))
        }
    }
}
