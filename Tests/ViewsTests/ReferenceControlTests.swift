internal import Foundation
internal import TestSupport
internal import Testing

@testable internal import Views

@Suite("The reference's registry and configuration, by curl", .serialized, .timeLimit(.minutes(5)))
struct ReferenceControlTests {
    @Test("A backbone is made, read, changed in part, found by filters, and deleted")
    func registry() async throws {
        try await ViewsRig.run { rig in
            let record =
                #"{"org_ids": "acme,globex", "cluster_id": "eu-west", "public_url": "nats://a:4222", "metadata": {"region": "eu", "tier": {"n": 1}}, "name": "one"}"#
            let made = try await Curl.run(rig, "POST", "/backbone", record)
            #expect(made.status == 201, "\(made.body)")
            #expect(made.object["success"] as? Bool == true)
            #expect((made.data["message"] as? String)?.isEmpty == false)
            let id = try #require(made.data["id"] as? String)
            #expect(UUID(uuidString: id) != nil)

            let read = try await Curl.run(rig, "GET", "/backbone/\(id)")
            #expect(read.status == 200 && read.object["success"] as? Bool == true)
            #expect(read.data.keys.sorted() == ["cluster_id", "metadata", "name", "org_ids", "public_url", "system_id"])
            #expect(read.data["system_id"] as? String == id)
            #expect(read.data["org_ids"] as? String == "acme,globex")
            #expect((read.data["metadata"] as? [String: Any])?["region"] as? String == "eu")
            // The same record, natively: the organisations are an array.
            #expect(try await rig.get("/v1/backbones/\(id)").json["org_ids"] as? [String] == ["acme", "globex"])

            let named = try await Curl.run(
                rig, "POST", "/backbone", #"{"system_id": "0190163d-8694-739b-aea5-966c26f8ad91", "org_ids": "", "name": "two", "cluster_id": null}"#)
            #expect(named.status == 201 && named.data["id"] as? String == "0190163d-8694-739b-aea5-966c26f8ad91")
            let second = try await Curl.run(rig, "GET", "/backbone/0190163d-8694-739b-aea5-966c26f8ad91")
            #expect(second.data["org_ids"] as? String == "" && second.data["cluster_id"] is NSNull)
            let again = try await Curl.run(rig, "POST", "/backbone", #"{"system_id": "0190163d-8694-739b-aea5-966c26f8ad91", "name": "x"}"#)
            #expect(again.status == 409 && again.object["success"] as? Bool == false && again.error != nil)

            let changed = try await Curl.run(
                rig, "PUT", "/backbone/\(id)", #"{"name": "uno", "org_ids": "initech", "metadata": {"region": null, "zone": "b"}}"#)
            #expect(changed.status == 200 && changed.object["success"] as? Bool == true)
            let after = try await Curl.run(rig, "GET", "/backbone/\(id)").data
            #expect(after["name"] as? String == "uno" && after["org_ids"] as? String == "initech" && after["cluster_id"] as? String == "eu-west")
            #expect((after["metadata"] as? [String: Any])?.keys.sorted() == ["tier", "zone"])

            for (filter, found) in [
                (#"{}"#, ["two", "uno"]), (#"{"name": "uno"}"#, ["uno"]), (#"{"cluster_id": "eu-west", "name": "two"}"#, []),
                (#"{"metadata.zone": "b"}"#, ["uno"]), (#"{"metadata.tier.n": 1}"#, ["uno"]), (#"{"metadata.tier.n": "1"}"#, []),
                (#"{"metadata.tier": {"n": 1.0}}"#, ["uno"]), (#"{"name": {"$in": ["two", "uno", "three"]}}"#, ["two", "uno"]),
                (#"{"org_ids": "initech"}"#, ["uno"]), (#"{"org_ids": {"$in": ["initech", "acme"]}}"#, ["uno"]), (#"{"name": {"$in": []}}"#, []),
            ] as [(String, [String])] {
                let list = try await Curl.run(rig, "POST", "/backbones", filter)
                #expect(list.status == 200 && list.object["success"] as? Bool == true, "\(filter): \(list.body)")
                #expect((list.object["data"] as? [[String: Any]])?.compactMap { $0["name"] as? String }.sorted() == found, "\(filter)")
            }
            for (filter, text) in [
                (#"{"name": {"$ne": "x"}}"#, "$in"), (#"{"name": {"$in": "x"}}"#, "$in"), (#"{"$where": "sleep(1)"}"#, "operator"),
                (#"{"$or": [{"name": "x"}]}"#, "operator"), (#"{"metadata.a": {"$regex": ".*"}}"#, "$in"), (#"{"name": {"$in": ["x"], "$nin": []}}"#, "$in"),
                (#"{"nmae": "x"}"#, "known are system_id"), (#"{"name.x": "x"}"#, "only metadata has members"),
                (#"{"metadata.$where": "x"}"#, "no such member"),
                ("[]", "JSON object"), ("{", "the text ends"),
            ] {
                let refused = try await Curl.run(rig, "POST", "/backbones", filter)
                #expect(refused.status == 400 && refused.object["success"] as? Bool == false, "\(filter)")
                #expect(refused.error?.contains(text) == true, "\(filter): \(refused.body)")
            }

            let hidden = try await Curl.run(rig, "POST", "/backbone", #"{"system_id": "diff", "name": "x"}"#)
            #expect(hidden.status == 400 && hidden.error?.contains("name of a route") == true, "\(hidden.body)")

            let gone = try await Curl.run(rig, "DELETE", "/backbone/\(id)")
            #expect(gone.status == 200 && gone.object["success"] as? Bool == true)
            for (method, body) in [("GET", nil), ("PUT", #"{"name": "x"}"#), ("DELETE", nil)] as [(String, String?)] {
                let missing = try await Curl.run(rig, method, "/backbone/\(id)", body)
                #expect(missing.status == 404 && missing.object["success"] as? Bool == false && missing.error?.isEmpty == false, "\(method): \(missing.body)")
            }
        }
    }

    @Test("Topics data is made, read, listed and changed")
    func topics() async throws {
        try await ViewsRig.run { rig in
            let made = try await Curl.run(rig, "POST", "/topics_data", #"{"topic_ids": ["internal.updates", "tasks.plan"]}"#)
            #expect(made.status == 201 && (made.object["message"] as? String)?.isEmpty == false)
            let id = try #require(made.object["subject_id"] as? String)
            let named = try await Curl.run(rig, "POST", "/topics_data", #"{"subject_id": "0190163d-8694-739b-aea5-966c26f8ad91", "topic_ids": []}"#)
            #expect(named.status == 201 && named.object["subject_id"] as? String == "0190163d-8694-739b-aea5-966c26f8ad91")
            let one = try await Curl.run(rig, "GET", "/topics_data/\(id)")
            #expect(one.status == 200 && one.object["subject_id"] as? String == id)
            #expect(one.object["topic_ids"] as? [String] == ["internal.updates", "tasks.plan"])
            #expect(try await Curl.run(rig, "PUT", "/topics_data/\(id)", #"{"topic_ids": ["x"]}"#).status == 200)
            #expect(try await Curl.run(rig, "GET", "/topics_data/\(id)").object["topic_ids"] as? [String] == ["x"])
            let list = try await Curl.run(rig, "GET", "/topics_data")
            #expect(list.status == 200 && list.array.count == 2)
            #expect(try await Curl.run(rig, "PUT", "/topics_data/nobody", #"{"topic_ids": ["x"]}"#).status == 404)
            let missing = try await Curl.run(rig, "GET", "/topics_data/nobody")
            #expect(missing.status == 404 && missing.error != nil)
            for body in [#"{}"#, #"{"subject_id": 7, "topic_ids": []}"#, "x", #"{"topic_ids": [], "more": 1}"#] {
                let refused = try await Curl.run(rig, "POST", "/topics_data", body)
                #expect(refused.status == 400 && refused.error != nil, "\(body): \(refused.body)")
            }
        }
    }

    @Test("The configuration of a topic is made only for known topics; its values have any type")
    func messagingConfig() async throws {
        try await ViewsRig.run { rig in
            let unknown = try await Curl.run(
                rig, "POST", "/messaging_config", #"{"topic_id": "internal.updates", "config_name": "colour", "config_value": "red"}"#)
            #expect(unknown.status == 400 && unknown.error?.contains("internal.updates") == true)
            #expect(try await Curl.run(rig, "POST", "/topics_data", #"{"topic_ids": ["internal.updates"]}"#).status == 201)
            for (index, value) in [#""red""#, "7", "1.50", "true", "null", "[1, {}]", #"{"a": {"b": 1}}"#].enumerated() {
                let made = try await Curl.run(
                    rig, "POST", "/messaging_config", #"{"topic_id": "internal.updates", "config_name": "v\#(index)", "config_value": \#(value)}"#)
                #expect(made.status == 201, "\(value): \(made.body)")
                let read = try await Curl.run(rig, "GET", "/messaging_config/internal.updates/v\(index)")
                #expect(read.status == 200 && read.body.contains(#""config_value":\#(value)}"#), "\(read.body)")
                #expect(read.object["topic_id"] as? String == "internal.updates" && read.object["config_name"] as? String == "v\(index)")
            }
            let changed = try await Curl.run(rig, "PUT", "/messaging_config/internal.updates", #"{"config_name": "v0", "config_value": {"n": 1}}"#)
            #expect(changed.status == 200)
            #expect(try await Curl.run(rig, "GET", "/messaging_config/internal.updates/v0").body.contains(#"{"n": 1}"#))
            let all = try await Curl.run(rig, "GET", "/messaging_config/internal.updates")
            #expect(all.status == 200 && all.array.compactMap { $0["config_name"] as? String } == (0..<7).map { "v\($0)" })
            #expect(try await Curl.run(rig, "PUT", "/messaging_config/internal.updates", #"{"config_name": "none", "config_value": 1}"#).status == 404)
            for path in ["/messaging_config/nowhere", "/messaging_config/internal.updates/none"] {
                let missing = try await Curl.run(rig, "GET", path)
                #expect(missing.status == 404 && missing.error != nil, "\(path)")
            }
            let bad = try await Curl.run(
                rig, "POST", "/messaging_config", #"{"topic_id": "internal.updates", "config_name": "max_message_bytes", "config_value": "many"}"#)
            #expect(bad.status == 400 && bad.error?.contains("whole number from 1") == true, "\(bad.body)")
            #expect(try await Curl.run(rig, "POST", "/messaging_config", #"{"topic_id": "internal.updates"}"#).error?.contains("/config_name") == true)
        }
    }

    @Test("Global configuration is made once, changed, read and listed")
    func globalConfig() async throws {
        try await ViewsRig.run { rig in
            #expect(try await Curl.run(rig, "GET", "/global_config").body == "[]")
            #expect(try await Curl.run(rig, "POST", "/global_config", #"{"config_name": "colour", "config_value": {"r": 1}}"#).status == 201)
            let again = try await Curl.run(rig, "POST", "/global_config", #"{"config_name": "colour", "config_value": 2}"#)
            #expect(again.status == 409 && again.error != nil)
            let read = try await Curl.run(rig, "GET", "/global_config/colour")
            #expect(read.status == 200 && read.body == #"{"config_name":"colour","config_value":{"r": 1}}"#)
            #expect(try await Curl.run(rig, "PUT", "/global_config/colour", #"{"config_value": [1]}"#).status == 200)
            #expect(try await Curl.run(rig, "GET", "/global_config").body == #"[{"config_name":"colour","config_value":[1]}]"#)
            #expect(try await Curl.run(rig, "PUT", "/global_config/none", #"{"config_value": 1}"#).status == 404)
            let missing = try await Curl.run(rig, "GET", "/global_config/none")
            #expect(missing.status == 404 && missing.error != nil)
            #expect(try await Curl.run(rig, "POST", "/global_config", #"{"config_name": "x"}"#).error?.contains("/config_value") == true)
            // Restored through the native interface: the reference documents none of its own.
            let position = try #require(try await rig.get("/v1/config/global/colour").header("Meshlog-Position"))
            #expect(try await Curl.run(rig, "PUT", "/global_config/colour", #"{"config_value": 9}"#).status == 200)
            #expect(try await Curl.run(rig, "POST", "/v1/restore", #"{"to": "\#(position)", "kinds": ["config"]}"#).status == 200)
            #expect(try await Curl.run(rig, "GET", "/global_config/colour").body.contains("[1]"))
        }
    }
}
