/// Parameters laid out as libpq takes them, lent for one call: all values in one block, each with a NUL behind it.
struct ParameterBlock {
    let count: Int32
    let types: UnsafePointer<UInt32>?
    let values: UnsafePointer<UnsafePointer<CChar>?>?
    let lengths: UnsafePointer<Int32>?
    let formats: UnsafePointer<Int32>?

    static func with<R>(_ parameters: [PostgreSQLParameter?], _ body: (ParameterBlock) -> R) -> R {
        if parameters.isEmpty { return body(ParameterBlock(count: 0, types: nil, values: nil, lengths: nil, formats: nil)) }
        var block: [CChar] = []
        block.reserveCapacity(parameters.reduce(0) { $0 + ($1?.bytes.count ?? 0) + 1 })
        var offsets: [Int] = []
        for parameter in parameters {
            offsets.append(block.count)
            if let parameter { block.append(contentsOf: parameter.bytes.lazy.map { CChar(bitPattern: $0) }) }
            block.append(0)
        }
        let types = parameters.map { $0?.type ?? 0 }
        let lengths = parameters.map { Int32($0?.bytes.count ?? 0) }
        let formats: [Int32] = parameters.map { $0?.isBinary == true ? 1 : 0 }
        return block.withUnsafeBufferPointer { memory in
            let values: [UnsafePointer<CChar>?] = parameters.indices.map { index in
                parameters[index] == nil ? nil : memory.baseAddress.map { $0 + offsets[index] }
            }
            return types.withUnsafeBufferPointer { types in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        values.withUnsafeBufferPointer { values in
                            body(
                                ParameterBlock(
                                    count: Int32(parameters.count), types: types.baseAddress, values: values.baseAddress, lengths: lengths.baseAddress,
                                    formats: formats.baseAddress))
                        }
                    }
                }
            }
        }
    }
}

/// A NULL-terminated array of C strings, lent for one call.
enum CStrings {
    static func with<R>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> R) -> R {
        var block: [CChar] = []
        var offsets: [Int] = []
        for string in strings {
            offsets.append(block.count)
            block.append(contentsOf: string.utf8.lazy.map { CChar(bitPattern: $0) })
            block.append(0)
        }
        return block.withUnsafeBufferPointer { memory in
            let pointers: [UnsafePointer<CChar>?] = offsets.map { offset in memory.baseAddress.map { $0 + offset } } + [nil]
            return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }
}
